// Command inventory is the service inventory in Go: the same contract, tables and events as the one in TypeScript
// beside it. Read rpc.go, then reserve_stock.go, stock.go and storage.go.
package main

import (
	"google.golang.org/grpc"
	"google.golang.org/protobuf/reflect/protoreflect"

	inventoryv1 "weft.local/weft/gen/go/shop/inventory/v1"
	"weft.local/weft/mesh/go/service"
	"weft.local/weft/mesh/go/storage"
)

func main() {
	service.Run(service.Definition{
		Contract:   inventoryv1.File_shop_inventory_v1_inventory_proto.Services().ByName("InventoryService"),
		Migrations: migrations,
		Emits: []protoreflect.MessageDescriptor{
			(*inventoryv1.StockChanged)(nil).ProtoReflect().Descriptor(),
		},
		Register: func(registrar grpc.ServiceRegistrar, db *storage.Database) {
			inventoryv1.RegisterInventoryServiceServer(registrar, &server{db: db})
		},
		Seed: seedStock,
	})
}
