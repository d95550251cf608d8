"""A strict, scripted provider of language models on loopback: OpenAI's two APIs and Azure's paths, over real HTTP.

    with LlmServer() as server:
        server.script(Say(calls=[Call("query_usage", {"metric": "credits"})]), Say("It was [[f1]]."))
        server.script(Fail(429, "rate_limit_exceeded", headers={"retry-after": "1"}), model="big")   # for one model
        server.brain = lambda seen: Say("always this")          # where no script is left
        ...
        assert server.problems == []                            # each request had the shape the providers document
        assert server.seen[0].body["messages"][0]["role"] == "system"

Addresses: `server.url` (`http://127.0.0.1:PORT/v1`, key `server.key` as a bearer) has /chat/completions and
/responses; `server.azure` (`http://127.0.0.1:PORT`) has /openai/deployments/NAME/chat/completions?api-version=... and
/openai/v1/..., with `server.key` in `api-key` or `server.entra_token` as a bearer. `server.deployments`, if set, are
the only names that exist.

Answers (tests.llm_server.answers): `Say` (text, calls, why it stopped, how slowly it comes, where it stalls or is cut
off, whether tokens are reported), `Fail` (a status with an error body; its `{key}` is replaced by the key that was
sent, as OpenAI's 401 does), `Body` (bytes that are no answer at all). A script is used up in order, that of the model
before the common one; without one, `brain` answers, and without a brain it is a 500 and a problem.

Strict: unknown parameters, tool messages without their call, calls that nobody answers, names that OpenAI would
refuse, missing or wrong keys, a request that is not streamed: each is refused as the provider would, and all but keys
are kept in `problems`. `seen` keeps every request; `seen[n].ended` says how its answer ended: `whole`, `cut`, `left`
(the client went away).
"""

from tests.llm_server.answers import Answer, Body, Call, Fail, Say
from tests.llm_server.server import LlmServer, Seen

__all__ = ["Answer", "Body", "Call", "Fail", "LlmServer", "Say", "Seen"]
