"""`grpc.call`: one call of a method, whose messages the server describes by reflection."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from xnai_validate.checkers.grpc._channel import GrpcFacts, GrpcParams, Outcome, call, metadata_of, required
from xnai_validate.kit import Context, Field, JsonObject, JsonValue, StringConstraints, Unmeasurable, checker


class CallParams(GrpcParams):
    """The method, and its message."""

    method: Annotated[str, StringConstraints(pattern=r"^/?[A-Za-z_][\w.]*/[A-Za-z_]\w*$")]
    """The full name of the method: `shop.v1.Orders/Get`."""
    message: JsonObject = Field(default_factory=dict)
    """The message as JSON, as protobuf maps it ("ProtoJSON Format")."""


class CallFacts(GrpcFacts):
    """The answer."""

    json_: JsonValue = Field(default=None, alias="json")
    """The answer as JSON, with the names of the fields as in the `.proto` file; what is not set is left out."""


@checker("grpc.call", expect={"error": None, "code": "OK"}, extra="grpc", preload=("grpc",))
async def call_method(params: CallParams, ctx: Context) -> CallFacts:
    """Call a unary method and take the answer as JSON.

    The server must offer reflection ("gRPC Server Reflection Protocol"); a method that sends or takes a stream of
    messages is an error. A call may have effects: the author of the check answers for them.

        kind: grpc.call
        target: orders
        with: {method: shop.v1.Orders/Get, message: {id: 7}}
        expect: {json: {"$.state": PAID}}
    """
    required("grpc.call", "grpc", "grpc_reflection")
    outcome: Outcome[JsonObject] = await asyncio.to_thread(
        call, ctx, params.timeout, lambda channel: _call_method(channel, params)
    )
    return CallFacts.model_validate({**outcome.facts, "json": outcome.value})


def _call_method(channel: Any, params: CallParams) -> JsonObject:
    """Connect, ask for the description of the method, and call it; raises Unmeasurable where that does not fit."""
    from google.protobuf import descriptor_pool, json_format, message_factory
    from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

    service_name, _, method_name = params.method.removeprefix("/").partition("/")
    pool = descriptor_pool.DescriptorPool(ProtoReflectionDescriptorDatabase(channel))
    try:
        method = pool.FindServiceByName(service_name).FindMethodByName(method_name)
    except KeyError:
        raise Unmeasurable(f"the server's reflection knows no method {params.method}") from None
    if method.client_streaming or method.server_streaming:
        raise Unmeasurable(f"{params.method} is a method of streams; only unary ones can be called")
    request = message_factory.GetMessageClass(method.input_type)()
    try:
        json_format.ParseDict(params.message, request)
    except json_format.ParseError as error:
        raise Unmeasurable(f"the message does not fit {method.input_type.full_name}: {error}") from None
    answer_type = message_factory.GetMessageClass(method.output_type)
    invoke = channel.unary_unary(
        f"/{service_name}/{method_name}",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=answer_type.FromString,
    )
    answer = invoke(request, timeout=params.timeout, metadata=metadata_of(params))
    document: JsonObject = json_format.MessageToDict(answer, preserving_proto_field_name=True)
    return document
