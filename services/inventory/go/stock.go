package main

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"google.golang.org/grpc/codes"

	"weft.local/weft/mesh/go/rpc/refusal"
)

// Pieces of one product: available + reserved + sold changes only by adjustment, and none goes below zero.
type Pieces struct {
	ProductID                 string
	Available, Reserved, Sold int32
}

// Item is pieces of one product that an order asks for.
type Item struct {
	ProductID string `json:"productId"`
	Quantity  int32  `json:"quantity"`
}

// sameItems tells whether two reservations ask for the same, in whatever order.
func sameItems(ours, theirs []Item) bool {
	order := func(a, b Item) int {
		return cmp.Or(cmp.Compare(a.ProductID, b.ProductID), cmp.Compare(a.Quantity, b.Quantity))
	}
	ours, theirs = slices.Clone(ours), slices.Clone(theirs)
	slices.SortFunc(ours, order)
	slices.SortFunc(theirs, order)
	return slices.Equal(ours, theirs)
}

// maxAvailable is the largest number of pieces of a product.
const maxAvailable = 2_000_000_000

// reserve sets pieces aside; pieces is nil for a product without stock. It refuses with OUT_OF_STOCK, naming the
// product.
func reserve(pieces *Pieces, productID string, quantity int32) error {
	var available int32
	if pieces != nil {
		available = pieces.Available
	}
	if pieces == nil || available < quantity {
		return refusal.New(codes.FailedPrecondition, "OUT_OF_STOCK", "not enough pieces in stock").With(map[string]string{
			"productId": productID, "requested": decimal(quantity), "available": decimal(available),
		})
	}
	pieces.Available -= quantity
	pieces.Reserved += quantity
	return nil
}

// commit sells pieces that were set aside.
func (p *Pieces) commit(quantity int32) {
	p.Reserved -= quantity
	p.Sold += quantity
}

// putBack releases pieces that were set aside.
func (p *Pieces) putBack(quantity int32) {
	p.Reserved -= quantity
	p.Available += quantity
}

// giveBack releases pieces that were sold.
func (p *Pieces) giveBack(quantity int32) {
	p.Sold -= quantity
	p.Available += quantity
}

// adjust adds pieces, or takes some away. It refuses with OUT_OF_STOCK when fewer are available.
func (p *Pieces) adjust(delta int32) error {
	after := int64(p.Available) + int64(delta)
	if after < 0 || after > maxAvailable {
		return refusal.New(codes.FailedPrecondition, "OUT_OF_STOCK",
			fmt.Sprintf("the stock must stay between 0 and %d", maxAvailable)).
			About("delta", fmt.Sprintf("%d pieces are available", p.Available)).
			With(map[string]string{"productId": p.ProductID, "available": decimal(p.Available)})
	}
	p.Available = int32(after)
	return nil
}

func decimal(number int32) string { return strconv.FormatInt(int64(number), 10) }
