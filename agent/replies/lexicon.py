"""Words that a reply may not say by itself: number words, claims of action, dates, addresses.

English is what Frostline writes; number words of its readers' other languages stand here too, because a model may
answer in them. Words in scripts that nothing here can read are refused as a whole (agent.replies.claims).
"""

from __future__ import annotations

import re

__all__ = ["ACTION", "ADDRESS", "ALLOWED", "CAPITALS", "DATES", "FIGURE", "MONTHS", "OUR_CAPITALS", "RELATIVE"]

# --- figures ----------------------------------------------------------------------------------------------------------

_ENGLISH = (
    r"zero|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|"
    r"eighteen|nineteen|(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)(?:-\w+)?|hundreds?|hundredth|"
    r"thousands?|thousandth|millions?|billions?|trillions?|dozens?|half|halves|halv(?:ed|ing)|thirds?|quarters? of|"
    r"twice|thrice|doubl(?:e|es|ed|ing)|tripl(?:e|es|ed|ing)|trebl(?:e|ed|ing)|quadrupl(?:e|es|ed|ing)|\w+-?fold|"
    r"(?:fourth|fifth|sixth|seventh|eighth|ninth|tenth|twelfth)s?|couple of|handful of|scores? of|pair of|"
    r"order of magnitude|orders of magnitude|(?:single|double|triple)[- ]digits?|(?<!\| )per ?cents?|"
    r"percentage points?|"
    r"(?:vast |large |great )?majority of|nil|nought|naught|zilch|umpteen|myriad|nobody else|"
    r"one (?:percent|credit|dollar|cent|warehouse|query|user|day|hour|minute|second|week|month|failure|cluster|row)|"
    r"(?:only|just|exactly|about|around|roughly|nearly|almost|over|under|by) one"
)
_OTHERS = (
    # German, French, Spanish, Italian, Portuguese, Dutch: what is no word of English too
    r"null|eins|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|elf|zwölf|\w*(?:zehn|zwanzig|dreißig|vierzig|fünfzig|"
    r"sechzig|siebzig|achtzig|neunzig|hundert|tausend)\w*|millionen|milliarden?|hälfte|halb\w*|drittel|viertel|prozent|"
    r"verdoppelt|doppelt|deux|trois|quatre|cinq|sept|huit|neuf|dix|onze|douze|treize|quatorze|quinze|vingt\w*|trente|"
    r"quarante|cinquante|soixante|cents?|mille|milliers?|milliards?|moitié|tiers|pour ?cent|dos|tres|cuatro|cinco|seis|"
    r"siete|ocho|nueve|diez|once|doce|veinte|treinta|cuarenta|cincuenta|cien|ciento|cientos|mil|miles de|"
    r"millones|mitad|"
    r"por ?ciento|due|tre|quattro|cinque|sei|sette|otto|nove|dieci|venti|trenta|quaranta|cinquanta|cento|mila|metà|"
    r"per ?cento|dois|duas|quatro|sete|oito|dez|vinte|trinta|metade|por ?cento|twee|drie|vijf|zeven|negen|tien|"
    r"twintig|dertig|veertig|vijftig|honderd|duizend|helft|procent"
)
_NOT_FIGURES = {"once", "due", "sei", "elf", "miles de", "tiers", "mil", "null", "cents?"}
"""Words of English or of SQL among them."""
FIGURE = re.compile(
    rf"\b(?:{_ENGLISH}|{'|'.join(w for w in _OTHERS.split('|') if w not in _NOT_FIGURES)})\b", re.IGNORECASE
)

# --- claims of action ----------------------------------------------------------------------------------------------

_VERBS = (
    r"resized?|suspended|resumed|changed|cancell?ed|killed|stopped|started|restarted|applied|approved|executed|scaled|"
    r"upgraded|downgraded|updated|turned|dropped|created|granted|deleted|removed|disabled|enabled|fixed|altered|"
    r"modified|adjusted|reduced|lowered|raised|increased|shrunk|shrank|grown|moved|switched|configured|deployed|"
    r"rolled|put|reverted|undone|paused|shut|set|done|completed|finished|made|carried|performed|implemented|handled|"
    r"sorted|resolved|arranged|scheduled|triggered|initiated|issued|submitted|sent|run|ran|gone|went|taken|took|"
    r"terminated|aborted|ended|optimi[sz]ed|tuned|corrected|cleaned|merged|consolidated|downsized|upsized|proposed|"
    r"stored|prepared|planned|queued up|renamed|assigned|revoked|notified|alerted|told|asked"
)
_STEMS = (
    r"resiz|suspend|resum|chang|cancel|kill|stop|start|apply|appl|approv|execut|scal|paus|shut|alter|modif|set|adjust|"
    r"reduc|lower|rais|increas|shrink|switch|turn|drop|creat|grant|delet|remov|disabl|enabl|fix|implement|handl|"
    r"perform|tak|tun|go|mak|do\b|doing|optimi|downsiz|upsiz|terminat|abort|undo|revert|restor|deploy|roll|updat"
)
_THINGS = (
    r"resiz(?:e|ing)|suspension|suspend(?:ing)?|resum(?:e|ption|ing)|change|cancellation|update|upgrade|downgrade|"
    r"restart|shutdown|fix|request|action|new size|new setting|approval|plan"
)
_WHO = r"(?:i|we|it|frostline|this|that|they|he|she|you|the (?:bot|assistant|system|warehouse|team))"
_HAVE = r"(?:'ve|’ve| have|'s|’s| has|'d|’d| had)"
ACTION = re.compile(
    rf"\b{_WHO}{_HAVE}?(?: \w+){{0,2}} (?:{_VERBS})\b(?! (?:up|down) (?:from|to|by))"
    rf"|\b(?:has|have|had|having|was|were|is|are|be|been|being|got|get|gets|getting)"
    rf"(?: (?:now|been|being|already|just|successfully|all|also|duly|since|then|again|automatically)){{0,3}}"
    rf" (?:{_VERBS}|{_STEMS.replace('|do' + chr(92) + 'b|doing', '')}(?:ing|e|es))\b"
    rf"|\b(?:i|we|frostline)(?:'ll|’ll| will| shall|'m|’m| am|'re|’re| are| can now| could)(?: \w+){{0,3}}"
    rf" (?:{_STEMS})\w*"
    rf"|\b(?:will|shall|going to|about to|gonna) (?:now |then |be |have |soon |shortly ){{0,3}}(?:{_STEMS})\w*"
    rf"|(?:^|[.!?:;,\n—–][\s*_)]*|\*\*|\band )(?:all |now |already |just |and )?(?:{_VERBS})\b"
    rf"|\b(?:{_THINGS})(?: of)?(?: \S+){{0,3}}? (?:is|was|has|went|goes|follows?|took|takes|comes?|came|succeeded|"
    rf"worked|completed?|finished)\b"
    rf"|\b(?:resizing|suspending|resuming|cancelling|canceling|stopping|applying|shutting)\b(?! (?:it |them |a |this )?"
    r"(?:would|could|may|might|needs|is a plan))"
    r"|\bsuccess(?:ful|fully)?\b|\b(?:is|are|'s|’s|was|were) (?:now|no longer|back|off|down|gone|live|underway|"
    r"under way|in"
    r" (?:place|progress|effect|force)|on its way|taken|effective|active again)\b|\bno longer\b|"
    r"\bnot? .{0,12}any ?more\b"
    r"|\b(?:took|takes?|taken|taking) (?:effect|care|place|action|over)\b|\bin effect\b|\b(?:went|gone|going|"
    r"go) ahead\b"
    r"|\bwent through\b|\bgone through\b|\bas (?:you )?(?:requested|asked|instructed|wished|approved|agreed|ordered)\b"
    r"|\bper your (?:request|approval|instructions?)\b|\ball (?:set|done|good)\b|\b(?:consider|get|got|"
    r"getting) (?:it|that"
    r"|this|them) \w+\b|\bunder ?way\b|\bin progress\b|\bjob done\b|\bmission accomplished\b|\bvoil[aà]\b|"
    r"\b(?:am|are|'m|’m|'re|’re) on it\b"
    r"|\byou(?:'ve|’ve| have)? (?:just )?(?:approved|confirmed|agreed)\b|\bapproval (?:received|given|granted)\b"
    r"|\bkick(?:ed|ing)? off\b|\b(?:alter|create|drop|grant|revoke) (?:warehouse|role|user|database|table|schema)\b"
    r"|\b(?:erledigt|fait|hecho|fatto|feito|klaar|gedaan|angehalten|geändert|verkleinert|suspendu|redimensionné|"
    r"suspendido|cambiado)\b",
    re.IGNORECASE,
)
ALLOWED = re.compile(
    r"\bnothing (?:has been|is|was|will be) (?:changed|stored|proposed)\b|\bdays are set\b|\bis kept\b", re.IGNORECASE
)

# --- dates ---------------------------------------------------------------------------------------------------------

MONTHS = re.compile(
    r"\b(?:January|February|April|June|July|August|September|October|November|December|Jan|Feb|Apr|Jun|Jul|Aug|"
    r"Sept?|Oct|"
    r"Nov|Dec|(?:(?i:in|of|since|during|from|to|until|for|by|last|this)) (?:March|May)|"
    r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)days?)\b"
)
RELATIVE = re.compile(
    r"\b(?:yesterday|today|tonight|tomorrow|this (?:morning|afternoon|evening)|"
    r"(?:last|past|previous|this|current|next|coming) (?:few )?(?:hour|day|night|week|weekend|month|quarter|year)s?)\b",
    re.IGNORECASE,
)
DATES = {"past": "last", "previous": "last", "current": "this"}
"""Words for the same window."""

# --- names and addresses -------------------------------------------------------------------------------------------

ADDRESS = re.compile(
    r"://|\]\(|<[^<>\s]|\bwww\.|\bmailto\b|(?<![\w.])[@#]\w|\w@\w|(?<![\w/.])/[a-z]{2,}|\b[^\W\d_]\w*\.[^\W\d_]\w+\b|"
    r"(?-i:\bfrostline\b)",
    re.IGNORECASE,
)
_NOT_ADDRESSES = r"e\.g|i\.e|a\.m|p\.m"
ADDRESS = re.compile(rf"(?!\b(?:{_NOT_ADDRESSES})\b)(?:{ADDRESS.pattern})", re.IGNORECASE)
CAPITALS = re.compile(r"(?<![\w$])[A-Z$][A-Z0-9$]{2,}(?![\w$])")
OUR_CAPITALS = frozenset(
    (
        *("UTC", "GMT", "CET", "CEST", "EST", "EDT", "PST", "PDT", "USD", "SQL", "DDL", "DML", "API", "CPU", "GPU"),
        *("RAM", "SSD", "JSON", "CSV", "SHOW", "WAREHOUSE", "WAREHOUSES", "AND", "NOT", "ALL", "SLA", "SLO", "KPI"),
        *("URL", "AWS", "GCP", "CLI", "WAPE"),
    )
)
"""Abbreviations that are no names; a warehouse that is called so is found by its name."""
