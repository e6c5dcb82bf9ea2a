// A client in Go of the shop's contract, from the stubs in gen/go: it signs up, orders one piece of the first product
// and watches what becomes of it.
//
//	go run ./docs/clients -edge 127.0.0.1:8080
//
// Prints the name of the product with the id of the order, and each status it goes through.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"time"

	"github.com/google/uuid"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	authv1 "weft.local/weft/gen/go/shop/auth/v1"
	orderv1 "weft.local/weft/gen/go/shop/order/v1"
	productv1 "weft.local/weft/gen/go/shop/product/v1"
)

func main() {
	edge := flag.String("edge", "127.0.0.1:8080", "where the edge listens")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	// The edge of a laptop speaks plaintext; in front of a real one stands TLS.
	conn, err := grpc.NewClient(*edge, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	if err := order(ctx, conn); err != nil {
		log.Fatal(explain(err))
	}
}

// order buys one piece of the first product.
func order(ctx context.Context, conn *grpc.ClientConn) error {
	auth := authv1.NewAuthServiceClient(conn)
	email := fmt.Sprintf("go-%s@example.com", uuid.NewString())
	const password = "correct-horse-battery-staple"
	if _, err := auth.Register(ctx, &authv1.RegisterRequest{Email: email, Password: password, DisplayName: "Go"}); err != nil {
		return err
	}
	login, err := auth.Login(ctx, &authv1.LoginRequest{Email: email, Password: password})
	if err != nil {
		return err
	}
	page, err := productv1.NewProductServiceClient(conn).ListProducts(ctx, &productv1.ListProductsRequest{PageSize: 1})
	if err != nil {
		return err
	}
	product := page.GetProducts()[0]

	ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+login.GetAccessToken())
	orders := orderv1.NewOrderServiceClient(conn)
	// The key makes it one order, however often this call is repeated.
	placed, err := orders.PlaceOrder(metadata.AppendToOutgoingContext(ctx, "idempotency-key", uuid.NewString()),
		&orderv1.PlaceOrderRequest{
			Items:        []*orderv1.PlaceOrderItem{{ProductId: product.GetId(), Quantity: 1}},
			PaymentToken: "tok_visa",
		})
	if err != nil {
		return err
	}
	fmt.Printf("ordered %s: %s\n", product.GetName(), placed.GetId())
	updates, err := orders.WatchOrder(ctx, &orderv1.WatchOrderRequest{OrderId: placed.GetId()})
	if err != nil {
		return err
	}
	for {
		update, err := updates.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		fmt.Println(update.GetStatus())
	}
}

// explain adds the reason that programs decide by.
func explain(err error) error {
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			return fmt.Errorf("%w (%s)", err, info.GetReason())
		}
	}
	return err
}
