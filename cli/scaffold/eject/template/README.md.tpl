# A product on Weft

Weft is a gRPC-first service mesh for TypeScript teams. The Protobuf contract in `proto/` says everything once:
messages, REST mapping, validation, who may call, deadlines, retries, events. The edge, the services and the generated
configuration obey it; drift fails CI.

```sh
npm start
npm test
```

## The first service

```sh
npm run weft -- new service reviews
npm test -- services/reviews
npm start
```

The first command writes contract, handlers, use cases, rules, tables, an event with its consumer, tests and a README.
From there, change the contract into what you need and `npm run gen`.

## Users

No service issues access tokens yet: on your machine the runner does, by `npm run weft -- token ann --role customer`.
Elsewhere they come from your identity provider: EdDSA-signed JWTs of type `at+jwt` with the claims `sub`, `roles`,
`jti`, `iat` and `exp`, which live 15 minutes at most. Put its issuer, audience and JWKS URL into `buf.gen.yaml`. A
service of your own that issues them is named by `keys` of `tokens` in
[deploy/local/system.ts](deploy/local/system.ts).

## Go on

- [CONTRIBUTING.md](CONTRIBUTING.md): add an RPC, an event, a service; run one service's tests.
- [docs/](docs): how things are done and why they are as they are. Its examples are of the shop that the kit came with.
- [deploy/local](deploy/local/README.md): how `npm start` works.
