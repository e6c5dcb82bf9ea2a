// A gateway as grpc-gateway's documentation builds it: generated handlers, one client connection.
package main

import (
	"context"
	"log"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"bench/gen/library"
)

func main() {
	runtime.DefaultContextTimeout = 5 * time.Second
	mux := runtime.NewServeMux()
	upstream := strings.TrimPrefix(os.Getenv("UPSTREAM"), "http://")
	options := []grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())}
	if err := library.RegisterLibraryServiceHandlerFromEndpoint(context.Background(), mux, upstream, options); err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), mux))
}
