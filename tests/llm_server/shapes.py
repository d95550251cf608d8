"""The shape of requests, as the providers document it; anything else is a problem."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Name = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TextPart(_Strict):
    type: Literal["text", "input_text", "output_text"]
    text: str


Content = str | list[TextPart]


class FunctionSchema(_Strict):
    name: Name
    description: str = ""
    parameters: dict[str, Any]
    strict: bool | None = None

    @model_validator(mode="after")
    def _object(self) -> FunctionSchema:
        if self.parameters.get("type") != "object":
            raise ValueError("parameters have to be of type object")
        return self


# --- chat completions ------------------------------------------------------------------------------------------------


class FunctionCall(_Strict):
    name: Name
    arguments: str


class ToolCall(_Strict):
    id: str = Field(min_length=1)
    type: Literal["function"]
    function: FunctionCall


class SystemMessage(_Strict):
    role: Literal["system", "developer"]
    content: Content


class UserMessage(_Strict):
    role: Literal["user"]
    content: Content


class AssistantMessage(_Strict):
    role: Literal["assistant"]
    content: Content | None = None
    tool_calls: list[ToolCall] = Field(default=[], max_length=128)

    @model_validator(mode="after")
    def _says(self) -> AssistantMessage:
        if self.content is None and not self.tool_calls:
            raise ValueError("content is required where there are no tool_calls")
        return self


class ToolMessage(_Strict):
    role: Literal["tool"]
    content: Content
    tool_call_id: str


class ChatTool(_Strict):
    type: Literal["function"]
    function: FunctionSchema


class StreamOptions(_Strict):
    include_usage: bool


class ChatRequest(_Strict):
    model: str
    messages: list[SystemMessage | UserMessage | AssistantMessage | ToolMessage] = Field(min_length=1)
    stream: Literal[True]
    stream_options: StreamOptions
    tools: list[ChatTool] | None = Field(default=None, min_length=1, max_length=128)
    tool_choice: Literal["auto", "none", "required"] | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    temperature: float | None = Field(default=None, ge=0, le=2)
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _calls_are_answered(self) -> ChatRequest:
        open_calls: set[str] = set()
        for message in self.messages:
            if isinstance(message, ToolMessage):
                if message.tool_call_id not in open_calls:
                    raise ValueError("a message of role tool must answer a tool call that stands before it")
                open_calls.remove(message.tool_call_id)
                continue
            if open_calls:
                raise ValueError("each tool_call_id has to be answered by a message of role tool")
            if isinstance(message, AssistantMessage):
                open_calls = {call.id for call in message.tool_calls}
        if open_calls:
            raise ValueError("each tool_call_id has to be answered by a message of role tool")
        return self


# --- responses -------------------------------------------------------------------------------------------------------


class InputMessage(_Strict):
    type: Literal["message"] = "message"
    role: Literal["system", "developer", "user", "assistant"]
    content: Content
    id: str | None = None
    phase: str | None = None


class InputCall(_Strict):
    type: Literal["function_call"]
    call_id: str
    name: Name
    arguments: str
    id: str | None = None
    status: str | None = None


class InputOutput(_Strict):
    type: Literal["function_call_output"]
    call_id: str
    output: str | list[TextPart]
    id: str | None = None


class ResponsesTool(FunctionSchema):
    type: Literal["function"]


class ResponsesRequest(_Strict):
    model: str
    input: list[InputCall | InputOutput | InputMessage] = Field(min_length=1)
    instructions: str | None = None
    stream: Literal[True]
    store: bool
    tools: list[ResponsesTool] | None = Field(default=None, min_length=1)
    tool_choice: Literal["auto", "none", "required"] | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    temperature: float | None = Field(default=None, ge=0, le=2)
    max_output_tokens: int | None = Field(default=None, ge=16)

    @model_validator(mode="after")
    def _calls_are_answered(self) -> ResponsesRequest:
        called = [item.call_id for item in self.input if isinstance(item, InputCall)]
        answered = [item.call_id for item in self.input if isinstance(item, InputOutput)]
        if sorted(called) != sorted(answered):
            raise ValueError("No tool output found for function call, or an output without its call")
        return self


def first_problem(request: type[BaseModel], body: Any) -> str | None:
    """None: it is as it should be."""
    from pydantic import ValidationError

    try:
        request.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return None
