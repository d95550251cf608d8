"""Turns, plans and errors as Slack messages: pure functions, no clock, no I/O, the same in gives the same out.

    limits      what Slack takes, as named constants
    text        escape, literal text objects, mentions; the text that comes in, made readable
    markdown    an answer's Markdown -> paragraphs, bullets, tables, code; nothing of it is lost
    blocks      the Block Kit pieces that the others are made of
    tables      a table that fits a phone; as CSV where it is long
    answer      answer_messages(turn, *, streamed=False) -> tuple[Message, ...]
                stream_chunks(turn) -> tuple[dict, ...]; step_chunk(step) -> dict
    neutral     parts -> Markdown for streams, in which nothing of an account's text acts
    card        CardView; card_message(view) -> Message; fingerprint(message) -> str;
                told_message(view) -> Message | None
    plan_lines  what a card and its details say about one plan
    evidence    the blocks of evidence_view
    modals      evidence_view(turn, question); details_view(view); decline_view(view, channel, ts);
                decline_form(metadata) -> DeclineForm | None, REASON_BLOCK
    home        home_view(person, role, plans, tz); PROMPTS; help_message()
    notes       said(text), error_message(error), interrupted_message(question, item_id), stopped_message(),
                not_for_you(reason), thanks_message(value)
    check       problems(message or view) -> list[str]
    terminal    show(message or view) -> a rich renderable; picture(...) -> SVG text

Text from an account stands where Slack takes it literally: rich_text `text` elements, cells of `raw_text`, plain_text.
mrkdwn and top-level `text` hold words of ours, escaped text, and tokens made here from ids that were checked.
"""
