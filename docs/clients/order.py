"""
A client in Python of the shop's contract: signs in, orders one piece of the first product and watches what becomes of
it. The stubs of gen/python have types; the edge speaks gRPC on the port of its REST interface.

    PYTHONPATH=gen/python .weft/python/bin/python docs/clients/order.py localhost:8080

Prints the id of the order and each status it goes through.
"""

import asyncio
import sys
import uuid

import grpc
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from shop.auth.v1.auth_pb2 import LoginRequest
from shop.auth.v1.auth_pb2_grpc import AuthServiceStub
from shop.order.v1.order_pb2 import Order, PlaceOrderItem, PlaceOrderRequest, WatchOrderRequest
from shop.order.v1.order_pb2_grpc import OrderServiceStub
from shop.product.v1.product_pb2 import ListProductsRequest
from shop.product.v1.product_pb2_grpc import ProductServiceStub


async def order(edge: str, email: str, password: str) -> None:
    async with grpc.aio.insecure_channel(edge) as channel:
        auth, products, orders = (
            AuthServiceStub(channel),
            ProductServiceStub(channel),
            OrderServiceStub(channel),
        )

        # Every call has a deadline; the services behind the edge get what is left of it.
        signed_in = await auth.Login(LoginRequest(email=email, password=password), timeout=5)
        user = ("authorization", f"Bearer {signed_in.access_token}")
        page = await products.ListProducts(ListProductsRequest(page_size=1), timeout=2)

        wanted = PlaceOrderRequest(
            items=[PlaceOrderItem(product_id=page.products[0].id, quantity=1)], payment_token="tok_visa"
        )
        # The same key with a second try gives the same order, not a second one.
        key = ("idempotency-key", str(uuid.uuid4()))
        placed = await orders.PlaceOrder(wanted, timeout=5, metadata=(user, key))
        print(placed.id)
        async for seen in orders.WatchOrder(
            WatchOrderRequest(order_id=placed.id), timeout=60, metadata=(user,)
        ):
            print(Order.Status.Name(seen.status))


def reason_of(error: grpc.aio.AioRpcError) -> str:
    """Reason of a refusal, such as "OUT_OF_STOCK"; empty for failures that have none."""
    for name, value in error.trailing_metadata() or ():
        if name == "grpc-status-details-bin" and isinstance(value, bytes):
            for detail in Status.FromString(value).details:
                info = ErrorInfo()
                if detail.Unpack(info):
                    return info.reason
    return ""


if __name__ == "__main__":
    edge = sys.argv[1] if len(sys.argv) > 1 else "localhost:8080"
    try:
        asyncio.run(order(edge, "alice@example.com", "correct-horse-battery-staple"))
    except grpc.aio.AioRpcError as error:
        sys.exit(f"{error.code().name} {reason_of(error)}: {error.details()}")
