# One image a service in Go: docker build -f deploy/docker/go.Dockerfile --build-arg SERVICE=ratings -t ratings .
# One that is there in two languages has its program in a folder: --build-arg PROGRAM=services/inventory/go

FROM golang:1.26-alpine AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY gen/go gen/go
COPY mesh/go mesh/go
COPY services services
ARG SERVICE
ARG PROGRAM=services/${SERVICE}
RUN CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o /program "./$PROGRAM"

FROM alpine:3.22
COPY --from=build /program /program
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/program"]
