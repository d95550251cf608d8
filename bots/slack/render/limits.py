"""What Slack takes. Characters unless a name says otherwise; where Slack names no limit, the one we keep to."""

from __future__ import annotations

from typing import Final

# --- messages ---------------------------------------------------------------------------------------------------

MESSAGE_BLOCKS: Final = 50
MESSAGE_TEXT: Final = 11_000
"""All text in a message's blocks: `msg_blocks_too_long` was seen from about 11,300 on."""
MESSAGE_FILL: Final = 8_500
"""Where we begin the next message: Slack counts some overhead too."""
TOP_TEXT: Final = 4_000
"""`text` beside the blocks; chat.update refuses more."""
MESSAGES_PER_ANSWER: Final = 4
"""An answer that needs more is attached as a file."""

# --- modals and Home --------------------------------------------------------------------------------------------

VIEW_BLOCKS: Final = 100
VIEW_BYTES: Final = 250_000
VIEW_FILL: Final = 60_000
"""All text that we put into one view: nobody reads more in a window."""
VIEW_TITLE: Final = 24
PRIVATE_METADATA: Final = 3_000
CALLBACK_ID: Final = 255
INPUT_LENGTH: Final = 3_000
REASON_LENGTH: Final = 500
"""Ours: a reason is a sentence or two."""

# --- blocks -----------------------------------------------------------------------------------------------------

HEADER: Final = 150
SECTION_TEXT: Final = 3_000
SECTION_FIELDS: Final = 10
FIELD_TEXT: Final = 2_000
CONTEXT_ELEMENTS: Final = 10
CONTEXT_TEXT: Final = 2_000
"""Ours: Slack names none for an element of a context block."""
RICH_TEXT: Final = 3_000
"""Ours: of one rich_text element."""
ACTIONS: Final = 25
CONTEXT_ACTIONS: Final = 5
BUTTON_TEXT: Final = 75
BUTTON_VALUE: Final = 2_000
ACTION_ID: Final = 255
BLOCK_ID: Final = 255
CONFIRM_TITLE: Final = 100
CONFIRM_TEXT: Final = 300
CONFIRM_BUTTON: Final = 30
LABEL: Final = 2_000
TABLE_ROWS: Final = 100
TABLE_CELLS: Final = 20
TABLE_TEXT: Final = 10_000

# --- streams ----------------------------------------------------------------------------------------------------

CHUNK_TEXT: Final = 3_000
"""Ours; Slack takes 12,000 characters of markdown_text in one call."""
STREAM_TEXT: Final = 6_000
"""Ours: how long one streamed message may get is documented nowhere."""
MARKDOWN_TEXT: Final = 12_000
TASK_TITLE: Final = 200

# --- ours: what reads well --------------------------------------------------------------------------------------

PHONE_COLUMNS: Final = 3
TABLE_SHOWN_ROWS: Final = 40
"""More rows than this (or than fit) go into a CSV file, and the first ones are shown."""
TABLE_FILL: Final = 6_000
STATEMENT: Final = 2_500
"""Of a statement on a card; the whole stands under Details."""
CARD_TEXT: Final = 600
"""Of a reason or a method on a card."""
BUNDLE_FILL: Final = 6_000
"""For the plans of a bundle on its card; the rest stands under Details."""
PROMPTS: Final = 4
MENTIONS: Final = 20
"""People and groups on a card that are mentioned."""
