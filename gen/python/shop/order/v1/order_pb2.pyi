import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.type import money_pb2 as _money_pb2
from weft.policy.v1 import policy_pb2 as _policy_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Order(_message.Message):
    __slots__ = ("id", "customer_id", "status", "items", "total", "cancel_reason", "created_at", "updated_at")
    class Status(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATUS_UNSPECIFIED: _ClassVar[Order.Status]
        PENDING: _ClassVar[Order.Status]
        RESERVED: _ClassVar[Order.Status]
        PAID: _ClassVar[Order.Status]
        CONFIRMED: _ClassVar[Order.Status]
        COMPENSATING: _ClassVar[Order.Status]
        CANCELLED: _ClassVar[Order.Status]
    STATUS_UNSPECIFIED: Order.Status
    PENDING: Order.Status
    RESERVED: Order.Status
    PAID: Order.Status
    CONFIRMED: Order.Status
    COMPENSATING: Order.Status
    CANCELLED: Order.Status
    class CancelReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        CANCEL_REASON_UNSPECIFIED: _ClassVar[Order.CancelReason]
        REQUESTED: _ClassVar[Order.CancelReason]
        OUT_OF_STOCK: _ClassVar[Order.CancelReason]
        PAYMENT_DECLINED: _ClassVar[Order.CancelReason]
        TIMED_OUT: _ClassVar[Order.CancelReason]
    CANCEL_REASON_UNSPECIFIED: Order.CancelReason
    REQUESTED: Order.CancelReason
    OUT_OF_STOCK: Order.CancelReason
    PAYMENT_DECLINED: Order.CancelReason
    TIMED_OUT: Order.CancelReason
    ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    CANCEL_REASON_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    id: str
    customer_id: str
    status: Order.Status
    items: _containers.RepeatedCompositeFieldContainer[OrderItem]
    total: _money_pb2.Money
    cancel_reason: Order.CancelReason
    created_at: _timestamp_pb2.Timestamp
    updated_at: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[str] = ..., customer_id: _Optional[str] = ..., status: _Optional[_Union[Order.Status, str]] = ..., items: _Optional[_Iterable[_Union[OrderItem, _Mapping]]] = ..., total: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., cancel_reason: _Optional[_Union[Order.CancelReason, str]] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class OrderTimeline(_message.Message):
    __slots__ = ("order_id", "customer_id", "steps")
    class Step(_message.Message):
        __slots__ = ("step", "attempt", "outcome", "reason", "started_at", "ended_at")
        class Name(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
            __slots__ = ()
            NAME_UNSPECIFIED: _ClassVar[OrderTimeline.Step.Name]
            PLACE: _ClassVar[OrderTimeline.Step.Name]
            RESERVE: _ClassVar[OrderTimeline.Step.Name]
            CHARGE: _ClassVar[OrderTimeline.Step.Name]
            QUERY_CHARGE: _ClassVar[OrderTimeline.Step.Name]
            COMMIT: _ClassVar[OrderTimeline.Step.Name]
            CANCEL: _ClassVar[OrderTimeline.Step.Name]
            REFUND: _ClassVar[OrderTimeline.Step.Name]
            RELEASE: _ClassVar[OrderTimeline.Step.Name]
        NAME_UNSPECIFIED: OrderTimeline.Step.Name
        PLACE: OrderTimeline.Step.Name
        RESERVE: OrderTimeline.Step.Name
        CHARGE: OrderTimeline.Step.Name
        QUERY_CHARGE: OrderTimeline.Step.Name
        COMMIT: OrderTimeline.Step.Name
        CANCEL: OrderTimeline.Step.Name
        REFUND: OrderTimeline.Step.Name
        RELEASE: OrderTimeline.Step.Name
        class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
            __slots__ = ()
            OUTCOME_UNSPECIFIED: _ClassVar[OrderTimeline.Step.Outcome]
            DONE: _ClassVar[OrderTimeline.Step.Outcome]
            REFUSED: _ClassVar[OrderTimeline.Step.Outcome]
            FAILED: _ClassVar[OrderTimeline.Step.Outcome]
            TIMED_OUT: _ClassVar[OrderTimeline.Step.Outcome]
            SUPERSEDED: _ClassVar[OrderTimeline.Step.Outcome]
        OUTCOME_UNSPECIFIED: OrderTimeline.Step.Outcome
        DONE: OrderTimeline.Step.Outcome
        REFUSED: OrderTimeline.Step.Outcome
        FAILED: OrderTimeline.Step.Outcome
        TIMED_OUT: OrderTimeline.Step.Outcome
        SUPERSEDED: OrderTimeline.Step.Outcome
        STEP_FIELD_NUMBER: _ClassVar[int]
        ATTEMPT_FIELD_NUMBER: _ClassVar[int]
        OUTCOME_FIELD_NUMBER: _ClassVar[int]
        REASON_FIELD_NUMBER: _ClassVar[int]
        STARTED_AT_FIELD_NUMBER: _ClassVar[int]
        ENDED_AT_FIELD_NUMBER: _ClassVar[int]
        step: OrderTimeline.Step.Name
        attempt: int
        outcome: OrderTimeline.Step.Outcome
        reason: str
        started_at: _timestamp_pb2.Timestamp
        ended_at: _timestamp_pb2.Timestamp
        def __init__(self, step: _Optional[_Union[OrderTimeline.Step.Name, str]] = ..., attempt: _Optional[int] = ..., outcome: _Optional[_Union[OrderTimeline.Step.Outcome, str]] = ..., reason: _Optional[str] = ..., started_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ended_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    customer_id: str
    steps: _containers.RepeatedCompositeFieldContainer[OrderTimeline.Step]
    def __init__(self, order_id: _Optional[str] = ..., customer_id: _Optional[str] = ..., steps: _Optional[_Iterable[_Union[OrderTimeline.Step, _Mapping]]] = ...) -> None: ...

class OrderItem(_message.Message):
    __slots__ = ("product_id", "product_name", "quantity", "unit_price")
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_NAME_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    UNIT_PRICE_FIELD_NUMBER: _ClassVar[int]
    product_id: str
    product_name: str
    quantity: int
    unit_price: _money_pb2.Money
    def __init__(self, product_id: _Optional[str] = ..., product_name: _Optional[str] = ..., quantity: _Optional[int] = ..., unit_price: _Optional[_Union[_money_pb2.Money, _Mapping]] = ...) -> None: ...

class PlaceOrderItem(_message.Message):
    __slots__ = ("product_id", "quantity")
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    product_id: str
    quantity: int
    def __init__(self, product_id: _Optional[str] = ..., quantity: _Optional[int] = ...) -> None: ...

class PlaceOrderRequest(_message.Message):
    __slots__ = ("items", "payment_token")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_TOKEN_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[PlaceOrderItem]
    payment_token: str
    def __init__(self, items: _Optional[_Iterable[_Union[PlaceOrderItem, _Mapping]]] = ..., payment_token: _Optional[str] = ...) -> None: ...

class ListOrdersRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListOrdersResponse(_message.Message):
    __slots__ = ("orders", "next_page_token")
    ORDERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    orders: _containers.RepeatedCompositeFieldContainer[Order]
    next_page_token: str
    def __init__(self, orders: _Optional[_Iterable[_Union[Order, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetOrderRequest(_message.Message):
    __slots__ = ("order_id",)
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    def __init__(self, order_id: _Optional[str] = ...) -> None: ...

class GetOrderTimelineRequest(_message.Message):
    __slots__ = ("order_id",)
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    def __init__(self, order_id: _Optional[str] = ...) -> None: ...

class CancelOrderRequest(_message.Message):
    __slots__ = ("order_id",)
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    def __init__(self, order_id: _Optional[str] = ...) -> None: ...

class WatchOrderRequest(_message.Message):
    __slots__ = ("order_id",)
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    def __init__(self, order_id: _Optional[str] = ...) -> None: ...
