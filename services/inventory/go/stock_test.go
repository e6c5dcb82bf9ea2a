package main

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"weft.local/weft/mesh/go/rpc/refusal"
)

func TestWhateverHappensToStockTheSumOfItsPartsStaysAndNoneIsNegative(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 2_000 {
		start := random.Int32N(50)
		pieces := &Pieces{ProductID: "p", Available: start}
		for range 40 {
			quantity := 1 + random.Int32N(9)
			switch random.IntN(4) {
			case 0:
				before := *pieces
				if reserve(pieces, "p", quantity) != nil && *pieces != before {
					t.Fatalf("a refused reservation changed %+v to %+v", before, *pieces)
				}
			case 1:
				if pieces.Reserved >= quantity {
					pieces.commit(quantity)
				}
			case 2:
				if pieces.Reserved >= quantity {
					pieces.putBack(quantity)
				}
			case 3:
				if pieces.Sold >= quantity {
					pieces.giveBack(quantity)
				}
			}
			if sum := pieces.Available + pieces.Reserved + pieces.Sold; sum != start {
				t.Fatalf("%d pieces became %d: %+v", start, sum, *pieces)
			}
			if min(pieces.Available, pieces.Reserved, pieces.Sold) < 0 {
				t.Fatalf("negative: %+v", *pieces)
			}
		}
	}
}

func TestARefusalNamesProductAndPieces(t *testing.T) {
	var refused *refusal.Refusal
	if !errors.As(reserve(nil, "p", 3), &refused) {
		t.Fatal("a product without stock was reserved")
	}
	if refused.Reason != "OUT_OF_STOCK" || refused.Metadata["requested"] != "3" || refused.Metadata["available"] != "0" {
		t.Fatalf("%+v", refused)
	}
}

func TestAnAdjustmentStaysWithinItsBounds(t *testing.T) {
	for _, step := range []struct {
		available, delta, after int32
		ok                      bool
	}{
		{5, -5, 0, true},
		{5, -6, 5, false},
		{maxAvailable, 1, maxAvailable, false},
		{maxAvailable, math.MaxInt32, maxAvailable, false}, // beyond int32
	} {
		pieces := &Pieces{Available: step.available}
		if err := pieces.adjust(step.delta); (err == nil) != step.ok || pieces.Available != step.after {
			t.Errorf("%d%+d: %v, %d available", step.available, step.delta, err, pieces.Available)
		}
	}
}

func TestReservationsAreTheSameInWhateverOrder(t *testing.T) {
	first := []Item{{"a", 1}, {"b", 2}}
	for _, try := range []struct {
		items []Item
		same  bool
	}{
		{[]Item{{"b", 2}, {"a", 1}}, true},
		{[]Item{{"a", 2}, {"b", 1}}, false},
		{[]Item{{"a", 1}}, false},
		{nil, false},
	} {
		if sameItems(first, try.items) != try.same {
			t.Errorf("%v", try.items)
		}
	}
	if first[0].ProductID != "a" {
		t.Error("comparing has sorted what it compared")
	}
}
