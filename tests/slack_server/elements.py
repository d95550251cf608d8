"""Interactive elements, texts of rich text, and the objects they are made of."""

from __future__ import annotations

from typing import Any

from tests.slack_server import limits
from tests.slack_server.shapes import Check, bad, fields, flag, identifier, many, one_of, string, styles, text, url


def confirm(value: Any, where: str) -> None:
    fields(value, where, required="title text confirm deny", optional="style")
    text(value["title"], f"{where}/title", limits.CONFIRM_TITLE, plain=True)
    text(value["text"], f"{where}/text", limits.CONFIRM_TEXT)
    text(value["confirm"], f"{where}/confirm", limits.CONFIRM_BUTTON, plain=True)
    text(value["deny"], f"{where}/deny", limits.CONFIRM_BUTTON, plain=True)
    if "style" in value:
        one_of(value["style"], f"{where}/style", ("primary", "danger"))


def button(value: Any, where: str) -> None:
    fields(value, where, required="text", optional="action_id url value style confirm accessibility_label")
    text(value["text"], f"{where}/text", limits.BUTTON_TEXT, plain=True)
    if "url" in value:
        url(value["url"], f"{where}/url")
    if "value" in value:
        string(value["value"], f"{where}/value", limits.BUTTON_VALUE)
    if "style" in value:
        one_of(value["style"], f"{where}/style", ("primary", "danger"))
    if "confirm" in value:
        confirm(value["confirm"], f"{where}/confirm")
    if "accessibility_label" in value:
        string(value["accessibility_label"], f"{where}/accessibility_label", limits.BUTTON_TEXT)


def _feedback_button(value: Any, where: str) -> None:
    fields(value, where, required="text value", optional="accessibility_label")
    text(value["text"], f"{where}/text", limits.BUTTON_TEXT, plain=True)
    string(value["value"], f"{where}/value", limits.BUTTON_VALUE)
    if "accessibility_label" in value:
        string(value["accessibility_label"], f"{where}/accessibility_label", limits.BUTTON_TEXT)


def feedback_buttons(value: Any, where: str) -> None:
    fields(value, where, required="positive_button negative_button", optional="action_id")
    _feedback_button(value["positive_button"], f"{where}/positive_button")
    _feedback_button(value["negative_button"], f"{where}/negative_button")


def icon_button(value: Any, where: str) -> None:
    fields(
        value,
        where,
        required="icon text",
        optional="action_id value confirm accessibility_label visible_to_user_ids",
    )
    one_of(value["icon"], f"{where}/icon", ("trash",))
    text(value["text"], f"{where}/text", limits.BUTTON_TEXT, plain=True)
    if "value" in value:
        string(value["value"], f"{where}/value", limits.BUTTON_VALUE)


def option(value: Any, where: str) -> None:
    fields(value, where, required="text value", optional="description url")
    text(value["text"], f"{where}/text", limits.OPTION_TEXT)
    string(value["value"], f"{where}/value", limits.OPTION_VALUE)
    if "description" in value:
        text(value["description"], f"{where}/description", limits.OPTION_TEXT)


def select(value: Any, where: str) -> None:
    optional = "action_id placeholder initial_option initial_options confirm focus_on_load max_selected_items"
    fields(value, where, required="options", optional=optional)
    _options(value, where, limits.OPTIONS)
    if "placeholder" in value:
        text(value["placeholder"], f"{where}/placeholder", limits.PLACEHOLDER, plain=True)


def few_options(value: Any, where: str) -> None:
    """Radio buttons and checkboxes: at most ten; an overflow menu: five."""
    optional = "action_id initial_option initial_options confirm focus_on_load"
    fields(value, where, required="options", optional=optional)
    _options(value, where, 5 if value.get("type") == "overflow" else 10)


def _options(value: dict[str, Any], where: str, most: int) -> None:
    seen: set[str] = set()
    for number, each in enumerate(many(value["options"], f"{where}/options", most)):
        option(each, f"{where}/options/{number}")
        if each["value"] in seen:
            raise bad(f"{where}/options/{number}/value", "duplicate value")
        seen.add(each["value"])


def plain_text_input(value: Any, where: str) -> None:
    optional = (
        "action_id placeholder initial_value multiline min_length max_length dispatch_action_config focus_on_load"
    )
    fields(value, where, optional=optional)
    if "placeholder" in value:
        text(value["placeholder"], f"{where}/placeholder", limits.PLACEHOLDER, plain=True)
    if "initial_value" in value:
        string(value["initial_value"], f"{where}/initial_value", limits.INPUT_LENGTH, least=0)
    for name, least in (("min_length", 0), ("max_length", 1)):
        size = value.get(name, least)
        if not isinstance(size, int) or not least <= size <= limits.INPUT_LENGTH:
            raise bad(f"{where}/{name}", f"must be between {least} and {limits.INPUT_LENGTH}")
    flag(value, where, "multiline", "focus_on_load")


def image_element(value: Any, where: str) -> None:
    fields(value, where, required="alt_text", optional="image_url slack_file")
    string(value["alt_text"], f"{where}/alt_text", limits.ALT_TEXT)
    image_source(value, where)


def image_source(value: dict[str, Any], where: str) -> None:
    if ("image_url" in value) == ("slack_file" in value):
        raise bad(where, "either image_url or slack_file")
    if "image_url" in value:
        url(value["image_url"], f"{where}/image_url")
    else:
        fields(value["slack_file"], f"{where}/slack_file", optional="id url")


BUTTONS: dict[str, Check] = {
    "button": button,
    "overflow": few_options,
    "static_select": select,
    "multi_static_select": select,
    "radio_buttons": few_options,
    "checkboxes": few_options,
}
ACCESSORIES: dict[str, Check] = {**BUTTONS, "image": image_element}
INPUTS: dict[str, Check] = {
    "plain_text_input": plain_text_input,
    "static_select": select,
    "multi_static_select": select,
    "radio_buttons": few_options,
    "checkboxes": few_options,
}
CONTEXT_ACTIONS: dict[str, Check] = {"feedback_buttons": feedback_buttons, "icon_button": icon_button}


def element(value: Any, where: str, allowed: dict[str, Check]) -> None:
    if not isinstance(value, dict) or value.get("type") not in allowed:
        kind = value.get("type") if isinstance(value, dict) else value
        raise bad(where, f"unsupported type: {kind}")
    identifier(value, where, "action_id")
    allowed[value["type"]](value, where)


_SPAN_FIELDS = {
    "text": ("text", "style"),
    "link": ("url", "text style unsafe"),
    "emoji": ("name", "unicode style skin_tone"),
    "user": ("user_id", "style"),
    "usergroup": ("usergroup_id", "style"),
    "channel": ("channel_id", "style"),
    "team": ("team_id", "style"),
    "broadcast": ("range", "style"),
    "color": ("value", ""),
    "date": ("timestamp format", "url fallback style"),
}


def _span(value: Any, where: str) -> None:
    kind = value.get("type") if isinstance(value, dict) else None
    if kind not in _SPAN_FIELDS:
        raise bad(where, f"unsupported type: {kind}")
    required, optional = _SPAN_FIELDS[kind]
    fields(value, where, required=required, optional=optional)
    styles(value.get("style"), f"{where}/style", "bold", "italic", "strike", "code", "underline", "highlight")
    if kind == "text":
        string(value["text"], f"{where}/text", 100_000)
    if kind == "link":
        string(value["url"], f"{where}/url", limits.URL)
    if kind == "broadcast":
        one_of(value["range"], f"{where}/range", ("here", "channel", "everyone"))


def _part(value: Any, where: str) -> None:
    kind = value.get("type") if isinstance(value, dict) else None
    if kind == "rich_text_list":
        fields(value, where, required="elements style", optional="indent offset border")
        one_of(value["style"], f"{where}/style", ("bullet", "ordered"))
        for number, each in enumerate(many(value["elements"], f"{where}/elements", 10_000)):
            if not isinstance(each, dict) or each.get("type") != "rich_text_section":
                raise bad(f"{where}/elements/{number}", "must be a rich_text_section")
            _part(each, f"{where}/elements/{number}")
        return
    if kind not in ("rich_text_section", "rich_text_preformatted", "rich_text_quote"):
        raise bad(where, f"unsupported type: {kind}")
    optional = {"rich_text_preformatted": "border language", "rich_text_quote": "border"}.get(kind, "")
    fields(value, where, required="elements", optional=optional)
    for number, each in enumerate(many(value["elements"], f"{where}/elements", 10_000)):
        _span(each, f"{where}/elements/{number}")
        if kind == "rich_text_preformatted" and each["type"] not in ("text", "link"):
            raise bad(f"{where}/elements/{number}", "only text and links in preformatted text")


def rich_text(value: Any, where: str) -> None:
    fields(value, where, required="elements", optional="block_id")
    for number, each in enumerate(many(value["elements"], f"{where}/elements", 10_000)):
        _part(each, f"{where}/elements/{number}")
