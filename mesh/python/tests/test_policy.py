"""What the contract's options make of a method, a message and an event."""

import pytest
from shop.auth.v1.events_pb2 import UserRegistered
from shop.email.v1 import email_pb2
from shop.order.v1 import order_pb2
from shop.order.v1.events_pb2 import OrderConfirmed
from weft.mesh.v1 import mesh_pb2

from weft_runtime.events.event_contract import event_contract
from weft_runtime.identity.principal import Principal
from weft_runtime.policy.access import check_caller, check_reply_owner, check_user
from weft_runtime.policy.method_policy import mesh_name_of, policy_of
from weft_runtime.policy.redact import redacted_json
from weft_runtime.rpc.errors import Refusal, ServiceError
from weft_runtime.rpc.validate import check_request, find_nul

EMAILS = email_pb2.DESCRIPTOR.services_by_name["EmailService"]
LIST = EMAILS.methods_by_name["ListEmails"]
GET_STATE = mesh_pb2.DESCRIPTOR.services_by_name["MeshService"].methods_by_name["GetState"]
GET_ORDER = order_pb2.DESCRIPTOR.services_by_name["OrderService"].methods_by_name["GetOrder"]


def refused(check, *arguments) -> str:  # type: ignore[no-untyped-def]
    try:
        check(*arguments)
    except ServiceError as error:
        return error.reason
    return "OK"


def test_a_method_takes_what_it_leaves_out_from_its_service() -> None:
    policy = policy_of(LIST)
    assert (mesh_name_of(EMAILS), policy.callers, policy.timeout, policy.slow) == (
        "email",
        frozenset({"edge"}),
        2.0,
        1.0,
    )


def test_callers_are_those_of_the_list_and_nobody_else() -> None:
    assert refused(check_caller, LIST, "edge") == "OK"
    assert refused(check_caller, LIST, "order") == "CALLER_DENIED"
    assert refused(check_caller, LIST, None) == "WORKLOAD_MISSING"


def test_users_need_what_the_rule_says() -> None:
    assert refused(check_user, LIST, Principal("ann", ("admin",))) == "OK"
    assert refused(check_user, LIST, Principal("ann", ("customer",))) == "ROLE_MISSING"
    assert refused(check_user, LIST, None) == "TOKEN_MISSING"
    assert refused(check_user, GET_STATE, None) == "OK"


def test_a_reply_goes_to_its_owner_alone() -> None:
    order = order_pb2.Order(customer_id="ann")
    assert refused(check_reply_owner, GET_ORDER, order, Principal("ann", ("customer",))) == "OK"
    assert refused(check_reply_owner, GET_ORDER, order, Principal("bob", ("customer",))) == "NOT_FOUND"
    assert refused(check_reply_owner, GET_ORDER, order_pb2.Order(), Principal("", ())) == "NOT_FOUND"


def test_a_request_that_breaks_the_rules_names_each_field() -> None:
    with pytest.raises(Refusal) as refusal:
        check_request(email_pb2.ListEmailsRequest(page_size=101, order_id="x"))
    fields = [each.field for each in refusal.value.details[0].field_violations]  # type: ignore[attr-defined]
    assert fields == ["page_size", "order_id"]
    check_request(email_pb2.ListEmailsRequest())


def test_text_with_u_0000_is_found_wherever_it_stands() -> None:
    assert find_nul(
        order_pb2.Order(items=[order_pb2.OrderItem(), order_pb2.OrderItem(product_name="a\0")])
    ) == ("items[1].product_name")
    assert find_nul(order_pb2.Order(id="a")) is None


def test_an_event_knows_its_stream_and_its_reader() -> None:
    contract = event_contract(OrderConfirmed)
    assert (contract.stream, contract.subject) == ("SHOP_ORDER_V1", "shop.order.v1.order_confirmed")
    assert contract.durable_name("email") == "email__order_confirmed"
    assert contract.version_of(OrderConfirmed(version=4)) == 4
    reader = next(each for each in contract.consumers if each.service == "email")
    assert (reader.max_deliver, reader.backoff, reader.ack_wait) == (5, (1, 5, 30, 120), 30)


def test_sensitive_values_are_cut_out() -> None:
    shown = redacted_json(UserRegistered(user_id="1", email="ann@example.com"))
    assert shown == {"userId": "1", "email": "[redacted]"}
