// Command {{name}} keeps {{words_plural}} of users. Read rpc.go, then create.go, list.go, delete.go, rules.go and
// storage.go.
package main

import (
	"google.golang.org/grpc"
	"google.golang.org/protobuf/reflect/protoreflect"

	contract "weft.local/weft/gen/go/{{dir}}"
	"weft.local/weft/mesh/go/events"
	"weft.local/weft/mesh/go/service"
	"weft.local/weft/mesh/go/storage"
)

func main() {
	service.Run(service.Definition{
		Contract:   contract.File_{{proto_file}}_proto.Services().ByName("{{Thing}}Service"),
		Migrations: migrations,
		Emits: []protoreflect.MessageDescriptor{
			(*contract.{{GoThing}}Created)(nil).ProtoReflect().Descriptor(),
		},
		Consumes: []events.Handler{events.On(countCreated)},
		Register: func(registrar grpc.ServiceRegistrar, db *storage.Database) {
			contract.Register{{GoThing}}ServiceServer(registrar, &server{db: db})
		},
	})
}
