CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE audit (
	seq INTEGER NOT NULL, 
	at VARCHAR(32) NOT NULL, 
	actor VARCHAR(255) NOT NULL, 
	event VARCHAR(32) NOT NULL, 
	plan_id VARCHAR(64), 
	detail TEXT NOT NULL, 
	prev_hash VARCHAR(64) NOT NULL, 
	hash VARCHAR(64) NOT NULL, 
	PRIMARY KEY (seq)
);
INSERT INTO "audit" VALUES(1,'2026-03-02T09:00:00.000000+00:00','os:ada','proposed','waiting-1','{"bundle":null,"digest":"9ce90d27acb4612607f74b45e21151920e4af13a2d0ca1d7c44c49ace802ad8a","expires_at":"2026-03-02T09:30:00+00:00","statement":"ALTER WAREHOUSE \"ETL\" SET WAREHOUSE_SIZE = SMALL","warehouse":"ETL"}','0000000000000000000000000000000000000000000000000000000000000000','0ae372cf289a8be3c90db623a90b80f062c038d8086468ef322aa3b21a51633e');
INSERT INTO "audit" VALUES(2,'2026-03-02T09:00:00.000000+00:00','os:ada','proposed','applied-1','{"bundle":null,"digest":"809d34a9612f7f392c711a64fe50c0a26ed9ac33dd0e06158757a40054532d01","expires_at":"2026-03-02T09:30:00+00:00","statement":"ALTER WAREHOUSE \"ETL\" SET WAREHOUSE_SIZE = SMALL","warehouse":"ETL"}','0ae372cf289a8be3c90db623a90b80f062c038d8086468ef322aa3b21a51633e','4f85399549420691125e4cf0d248804ebc0452da92c67f43221c3f3bed7309df');
INSERT INTO "audit" VALUES(3,'2026-03-02T09:00:00.000000+00:00','os:grace','approved','applied-1','{"digest":"809d34a9612f7f392c711a64fe50c0a26ed9ac33dd0e06158757a40054532d01","reason":"fine"}','4f85399549420691125e4cf0d248804ebc0452da92c67f43221c3f3bed7309df','ad2b748b9f5988f347a00dfd1894d0fafa8ffeee78fee9b77a0d81c42fb0275d');
INSERT INTO "audit" VALUES(4,'2026-03-02T09:00:00.000000+00:00','worker','started','applied-1','{"statement":"ALTER WAREHOUSE \"ETL\" SET WAREHOUSE_SIZE = SMALL"}','ad2b748b9f5988f347a00dfd1894d0fafa8ffeee78fee9b77a0d81c42fb0275d','84dd43e5e2fccbe2492aaf0b05d3d851ed2395bbb1d894d4c497ae99c8ffe6a9');
INSERT INTO "audit" VALUES(5,'2026-03-02T09:00:00.000000+00:00','worker','executed','applied-1','{"detail":"","query_id":"01-q"}','84dd43e5e2fccbe2492aaf0b05d3d851ed2395bbb1d894d4c497ae99c8ffe6a9','6c5bdb99c930fb509a2a39e9453e481d511c22dd2b1ca02a0f7e896e3b0cea68');
INSERT INTO "audit" VALUES(6,'2026-03-02T09:00:00.000000+00:00','worker','applied','applied-1','{"effect":"ETL is Small","reason":""}','6c5bdb99c930fb509a2a39e9453e481d511c22dd2b1ca02a0f7e896e3b0cea68','a54290ed762a02ccbfae4840a8f621d9396c37f4c1a7016d5b820896108ae5f4');
INSERT INTO "audit" VALUES(7,'2026-03-02T09:00:00.000000+00:00','os:ada','proposed','part-1','{"bundle":null,"digest":"94285a3c31ab09cbfdd5eb5258a8e5cc402246a7c5765507d07e6945be93a3ce","expires_at":"2026-03-02T09:30:00+00:00","statement":"ALTER WAREHOUSE \"ETL\" SET WAREHOUSE_SIZE = SMALL","warehouse":"ETL"}','a54290ed762a02ccbfae4840a8f621d9396c37f4c1a7016d5b820896108ae5f4','5e2671041df2e6736ca30a9428e1e52e8dbe92e56e5764669dc32edff1ae3479');
INSERT INTO "audit" VALUES(8,'2026-03-02T09:00:00.000000+00:00','os:ada','proposed','part-2','{"bundle":null,"digest":"a337da7e9ab84e2bc59119d9d410a1c246cddfc4fcd83e7c00c38185108af556","expires_at":"2026-03-02T09:30:00+00:00","statement":"ALTER WAREHOUSE \"ETL\" SET WAREHOUSE_SIZE = SMALL","warehouse":"ETL"}','5e2671041df2e6736ca30a9428e1e52e8dbe92e56e5764669dc32edff1ae3479','de5587a53ea413866f617ca85bc87917eb5abd6fe9412dcf449540a6d6d7738e');
INSERT INTO "audit" VALUES(9,'2026-03-02T09:00:00.000000+00:00','os:ada','bundle_proposed',NULL,'{"bundle":"b1","digest":"c852595ae8144e70b3c73ee953be9ed3c79d9ce734241d84883f7efabe19b110","plans":["part-1","part-2"]}','de5587a53ea413866f617ca85bc87917eb5abd6fe9412dcf449540a6d6d7738e','b6d1c38b00f18dcd6cc67334826bfa6e79fdfdcc72699f45ce262476bc569723');
INSERT INTO "audit" VALUES(10,'2026-03-02T09:00:00.000000+00:00','os:ada','proposed','declined-1','{"bundle":null,"digest":"b54cbec0214e40137905a43bbd008168676c340f5c414c5b8f396c9da046a4a2","expires_at":"2026-03-02T09:30:00+00:00","statement":"ALTER WAREHOUSE \"ETL\" SET WAREHOUSE_SIZE = SMALL","warehouse":"ETL"}','b6d1c38b00f18dcd6cc67334826bfa6e79fdfdcc72699f45ce262476bc569723','a59736ca552612c73ae55929522b847b213812007a365b51ade94e16b7c06fc9');
INSERT INTO "audit" VALUES(11,'2026-03-02T09:00:00.000000+00:00','os:grace','declined','declined-1','{"digest":"b54cbec0214e40137905a43bbd008168676c340f5c414c5b8f396c9da046a4a2","reason":"it''s not needed"}','a59736ca552612c73ae55929522b847b213812007a365b51ade94e16b7c06fc9','93cec6eea9096ea1132cc42070ecef28ee3a9ccae61c736979487fed126e8d70');
CREATE TABLE bundles (
	id VARCHAR(64) NOT NULL, 
	account VARCHAR(255) NOT NULL, 
	digest VARCHAR(64) NOT NULL, 
	body TEXT NOT NULL, 
	created_at VARCHAR(32) NOT NULL, 
	expires_at VARCHAR(32) NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "bundles" VALUES('b1','ACME','c852595ae8144e70b3c73ee953be9ed3c79d9ce734241d84883f7efabe19b110','{"created_at":"2026-03-02T09:00:00+00:00","expires_at":"2026-03-02T09:30:00+00:00","id":"b1","plan_digests":["94285a3c31ab09cbfdd5eb5258a8e5cc402246a7c5765507d07e6945be93a3ce","a337da7e9ab84e2bc59119d9d410a1c246cddfc4fcd83e7c00c38185108af556"],"plan_ids":["part-1","part-2"],"requester":{"id":"os:ada","name":"ada","roles":["proposer"]},"schema_version":1,"title":"two changes"}','2026-03-02T09:00:00.000000+00:00','2026-03-02T09:30:00.000000+00:00');
CREATE TABLE conversations (
	thread VARCHAR(255) NOT NULL, 
	person VARCHAR(255) NOT NULL, 
	profile VARCHAR(64) NOT NULL, 
	updated_at VARCHAR(32) NOT NULL, 
	PRIMARY KEY (thread)
);
INSERT INTO "conversations" VALUES('t1','os:ada','demo','2026-03-02T09:00:00.000000+00:00');
CREATE TABLE ledger (
	plan_id VARCHAR(64) NOT NULL, 
	account VARCHAR(255) NOT NULL, 
	statement TEXT NOT NULL, 
	claimed_by VARCHAR(255) NOT NULL, 
	started_at VARCHAR(32) NOT NULL, 
	finished_at VARCHAR(32), 
	outcome VARCHAR(16) NOT NULL, 
	query_id VARCHAR(64), 
	PRIMARY KEY (plan_id)
);
INSERT INTO "ledger" VALUES('applied-1','ACME','ALTER WAREHOUSE "ETL" SET WAREHOUSE_SIZE = SMALL','worker','2026-03-02T09:00:00.000000+00:00','2026-03-02T09:00:00.000000+00:00','applied','01-q');
CREATE TABLE meta (
	"key" VARCHAR(64) NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY ("key")
);
INSERT INTO "meta" VALUES('audit_head','{"count":11,"hash":"93cec6eea9096ea1132cc42070ecef28ee3a9ccae61c736979487fed126e8d70"}');
INSERT INTO "meta" VALUES('user:a','b');
CREATE TABLE plans (
	id VARCHAR(64) NOT NULL, 
	account VARCHAR(255) NOT NULL, 
	bundle VARCHAR(64), 
	position INTEGER NOT NULL, 
	warehouse VARCHAR(255) NOT NULL, 
	digest VARCHAR(64) NOT NULL, 
	body TEXT NOT NULL, 
	schema_version INTEGER NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	decided_by TEXT, 
	decided_at VARCHAR(32), 
	reason TEXT NOT NULL, 
	claimed_by VARCHAR(255), 
	claimed_until VARCHAR(32), 
	query_id VARCHAR(64), 
	effect TEXT NOT NULL, 
	created_at VARCHAR(32) NOT NULL, 
	updated_at VARCHAR(32) NOT NULL, 
	expires_at VARCHAR(32) NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "plans" VALUES('waiting-1','ACME',NULL,0,'ETL','9ce90d27acb4612607f74b45e21151920e4af13a2d0ca1d7c44c49ace802ad8a','{"account":"ACME","action":"resize_warehouse","before":{"size":"MEDIUM"},"blast_radius":{"active_users_24h":null,"owner":null,"queued":0,"running":1,"tasks_due_15m":null},"bundle":null,"change":{"action":"resize_warehouse","size":"SMALL"},"created_at":"2026-03-02T09:00:00+00:00","expected":{"credits_30d_high":0.0,"credits_30d_low":-20.5,"level":80,"method":"bounds"},"expires_at":"2026-03-02T09:30:00+00:00","id":"waiting-1","position":0,"reason":"too big","requester":{"id":"os:ada","name":"ada","roles":["proposer"]},"schema_version":1,"statement":"ALTER WAREHOUSE \"ETL\" SET WAREHOUSE_SIZE = SMALL","target":{"size":"SMALL"},"thread":null,"undo":"ALTER WAREHOUSE \"ETL\" SET WAREHOUSE_SIZE = MEDIUM","undo_change":{"action":"resize_warehouse","size":"MEDIUM"},"undo_of":null,"verdict":{"allowed":true,"approver_role":"approver","reason":"ordinary change","rule":"default","two_people":false},"warehouse":"ETL"}',1,'proposed',NULL,NULL,'',NULL,NULL,NULL,'','2026-03-02T09:00:00.000000+00:00','2026-03-02T09:00:00.000000+00:00','2026-03-02T09:30:00.000000+00:00');
INSERT INTO "plans" VALUES('applied-1','ACME',NULL,0,'ETL','809d34a9612f7f392c711a64fe50c0a26ed9ac33dd0e06158757a40054532d01','{"account":"ACME","action":"resize_warehouse","before":{"size":"MEDIUM"},"blast_radius":{"active_users_24h":null,"owner":null,"queued":0,"running":1,"tasks_due_15m":null},"bundle":null,"change":{"action":"resize_warehouse","size":"SMALL"},"created_at":"2026-03-02T09:00:00+00:00","expected":{"credits_30d_high":0.0,"credits_30d_low":-20.5,"level":80,"method":"bounds"},"expires_at":"2026-03-02T09:30:00+00:00","id":"applied-1","position":0,"reason":"too big","requester":{"id":"os:ada","name":"ada","roles":["proposer"]},"schema_version":1,"statement":"ALTER WAREHOUSE \"ETL\" SET WAREHOUSE_SIZE = SMALL","target":{"size":"SMALL"},"thread":null,"undo":"ALTER WAREHOUSE \"ETL\" SET WAREHOUSE_SIZE = MEDIUM","undo_change":{"action":"resize_warehouse","size":"MEDIUM"},"undo_of":null,"verdict":{"allowed":true,"approver_role":"approver","reason":"ordinary change","rule":"default","two_people":false},"warehouse":"ETL"}',1,'applied','{"id":"os:grace","name":"grace","roles":["approver"]}','2026-03-02T09:00:00.000000+00:00','','worker',NULL,'01-q','ETL is Small','2026-03-02T09:00:00.000000+00:00','2026-03-02T09:00:00.000000+00:00','2026-03-02T09:30:00.000000+00:00');
INSERT INTO "plans" VALUES('part-1','ACME',NULL,0,'ETL','94285a3c31ab09cbfdd5eb5258a8e5cc402246a7c5765507d07e6945be93a3ce','{"account":"ACME","action":"resize_warehouse","before":{"size":"MEDIUM"},"blast_radius":{"active_users_24h":null,"owner":null,"queued":0,"running":1,"tasks_due_15m":null},"bundle":null,"change":{"action":"resize_warehouse","size":"SMALL"},"created_at":"2026-03-02T09:00:00+00:00","expected":{"credits_30d_high":0.0,"credits_30d_low":-20.5,"level":80,"method":"bounds"},"expires_at":"2026-03-02T09:30:00+00:00","id":"part-1","position":0,"reason":"too big","requester":{"id":"os:ada","name":"ada","roles":["proposer"]},"schema_version":1,"statement":"ALTER WAREHOUSE \"ETL\" SET WAREHOUSE_SIZE = SMALL","target":{"size":"SMALL"},"thread":null,"undo":"ALTER WAREHOUSE \"ETL\" SET WAREHOUSE_SIZE = MEDIUM","undo_change":{"action":"resize_warehouse","size":"MEDIUM"},"undo_of":null,"verdict":{"allowed":true,"approver_role":"approver","reason":"ordinary change","rule":"default","two_people":false},"warehouse":"ETL"}',1,'proposed',NULL,NULL,'',NULL,NULL,NULL,'','2026-03-02T09:00:00.000000+00:00','2026-03-02T09:00:00.000000+00:00','2026-03-02T09:30:00.000000+00:00');
INSERT INTO "plans" VALUES('part-2','ACME',NULL,0,'ETL','a337da7e9ab84e2bc59119d9d410a1c246cddfc4fcd83e7c00c38185108af556','{"account":"ACME","action":"resize_warehouse","before":{"size":"MEDIUM"},"blast_radius":{"active_users_24h":null,"owner":null,"queued":0,"running":1,"tasks_due_15m":null},"bundle":null,"change":{"action":"resize_warehouse","size":"SMALL"},"created_at":"2026-03-02T09:00:00+00:00","expected":{"credits_30d_high":0.0,"credits_30d_low":-20.5,"level":80,"method":"bounds"},"expires_at":"2026-03-02T09:30:00+00:00","id":"part-2","position":0,"reason":"too big","requester":{"id":"os:ada","name":"ada","roles":["proposer"]},"schema_version":1,"statement":"ALTER WAREHOUSE \"ETL\" SET WAREHOUSE_SIZE = SMALL","target":{"size":"SMALL"},"thread":null,"undo":"ALTER WAREHOUSE \"ETL\" SET WAREHOUSE_SIZE = MEDIUM","undo_change":{"action":"resize_warehouse","size":"MEDIUM"},"undo_of":null,"verdict":{"allowed":true,"approver_role":"approver","reason":"ordinary change","rule":"default","two_people":false},"warehouse":"ETL"}',1,'proposed',NULL,NULL,'',NULL,NULL,NULL,'','2026-03-02T09:00:00.000000+00:00','2026-03-02T09:00:00.000000+00:00','2026-03-02T09:30:00.000000+00:00');
INSERT INTO "plans" VALUES('declined-1','ACME',NULL,0,'ETL','b54cbec0214e40137905a43bbd008168676c340f5c414c5b8f396c9da046a4a2','{"account":"ACME","action":"resize_warehouse","before":{"size":"MEDIUM"},"blast_radius":{"active_users_24h":null,"owner":null,"queued":0,"running":1,"tasks_due_15m":null},"bundle":null,"change":{"action":"resize_warehouse","size":"SMALL"},"created_at":"2026-03-02T09:00:00+00:00","expected":{"credits_30d_high":0.0,"credits_30d_low":-20.5,"level":80,"method":"bounds"},"expires_at":"2026-03-02T09:30:00+00:00","id":"declined-1","position":0,"reason":"too big","requester":{"id":"os:ada","name":"ada","roles":["proposer"]},"schema_version":1,"statement":"ALTER WAREHOUSE \"ETL\" SET WAREHOUSE_SIZE = SMALL","target":{"size":"SMALL"},"thread":null,"undo":"ALTER WAREHOUSE \"ETL\" SET WAREHOUSE_SIZE = MEDIUM","undo_change":{"action":"resize_warehouse","size":"MEDIUM"},"undo_of":null,"verdict":{"allowed":true,"approver_role":"approver","reason":"ordinary change","rule":"default","two_people":false},"warehouse":"ETL"}',1,'declined','{"id":"os:grace","name":"grace","roles":["approver"]}','2026-03-02T09:00:00.000000+00:00','it''s not needed',NULL,NULL,NULL,'','2026-03-02T09:00:00.000000+00:00','2026-03-02T09:00:00.000000+00:00','2026-03-02T09:30:00.000000+00:00');
CREATE INDEX plans_by_state ON plans (account, state);
CREATE INDEX plans_by_digest ON plans (digest);
CREATE INDEX plans_by_bundle ON plans (bundle, position);
CREATE INDEX bundles_by_digest ON bundles (digest);
CREATE INDEX ledger_by_time ON ledger (account, started_at);
CREATE INDEX audit_by_plan ON audit (plan_id, event);
