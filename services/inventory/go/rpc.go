package main

import (
	"context"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	inventoryv1 "weft.local/weft/gen/go/shop/inventory/v1"
	"weft.local/weft/mesh/go/rpc/refusal"
	"weft.local/weft/mesh/go/storage"
)

// server has the handlers of InventoryService: translate, call, translate.
type server struct {
	inventoryv1.UnimplementedInventoryServiceServer
	db *storage.Database
}

func (s *server) GetStock(ctx context.Context, request *inventoryv1.GetStockRequest) (*inventoryv1.Stock, error) {
	stock, err := findStock(ctx, s.db, request.GetProductId())
	if err != nil {
		return nil, err
	}
	if stock == nil {
		return nil, refusal.New(codes.NotFound, "STOCK_NOT_FOUND", "nothing is known of this product's stock")
	}
	return stockMessage(stock), nil
}

func (s *server) AdjustStock(ctx context.Context, request *inventoryv1.AdjustStockRequest) (*inventoryv1.Stock, error) {
	stock, err := adjustStock(ctx, s.db, strings.ToLower(request.GetProductId()), request.GetDelta())
	if err != nil {
		return nil, err
	}
	return stockMessage(stock), nil
}

func (s *server) Reserve(ctx context.Context, request *inventoryv1.ReserveRequest) (*inventoryv1.Reservation, error) {
	// Ids are the same in capitals (RFC 9562, section 4); storage has them in small letters.
	items := make([]Item, len(request.GetItems()))
	for i, item := range request.GetItems() {
		items[i] = Item{ProductID: strings.ToLower(item.GetProductId()), Quantity: item.GetQuantity()}
	}
	return reservationMessage(reserveStock(ctx, s.db, request.GetOrderId(), items))
}

func (s *server) Commit(ctx context.Context, request *inventoryv1.CommitRequest) (*inventoryv1.Reservation, error) {
	return reservationMessage(commitReservation(ctx, s.db, request.GetOrderId()))
}

func (s *server) Release(ctx context.Context, request *inventoryv1.ReleaseRequest) (*inventoryv1.Reservation, error) {
	return reservationMessage(releaseReservation(ctx, s.db, request.GetOrderId()))
}

func stockMessage(stock *Stock) *inventoryv1.Stock {
	return &inventoryv1.Stock{
		ProductId: stock.ProductID,
		Available: stock.Available,
		Reserved:  stock.Reserved,
		Sold:      stock.Sold,
		Version:   stock.Version,
		UpdatedAt: timestamppb.New(stock.UpdatedAt),
	}
}

func reservationMessage(reservation *Reservation, err error) (*inventoryv1.Reservation, error) {
	if err != nil {
		return nil, err
	}
	status := inventoryv1.Reservation_Status_value[string(reservation.Status)]
	return &inventoryv1.Reservation{OrderId: reservation.OrderID, Status: inventoryv1.Reservation_Status(status)}, nil
}
