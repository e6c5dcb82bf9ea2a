package rpc

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc/credentials"

	"weft.local/weft/mesh/go/identity"
)

// helloTimeout is the time a new connection has to show what it speaks, its TLS handshake included.
const helloTimeout = 10 * time.Second

// handshake is the first byte of a connection that begins with TLS (RFC 8446 section 5.1, ContentType).
const handshake = 0x16

// preface is what a client of HTTP/2 says first (RFC 9113 section 3.4).
var preface = []byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")

// port serves gRPC and HTTP/1.1 on one TCP port, each with TLS and without: the first bytes of a connection tell.
// Calls without TLS come from nobody; pages have no need of it.
type port struct {
	listener net.Listener
	workload *identity.Workload
	tls      *tls.Config
	log      *slog.Logger
	grpc     *side
	pages    *side

	mutex sync.Mutex
	open  map[*meshConn]*tls.Conn
}

// side is one of the two servers behind the port.
type side struct {
	addr  net.Addr
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func newSide(addr net.Addr) *side {
	return &side{addr: addr, conns: make(chan net.Conn), done: make(chan struct{})}
}

func (s *side) Accept() (net.Conn, error) {
	select {
	case conn := <-s.conns:
		return conn, nil
	case <-s.done:
		return nil, net.ErrClosed
	}
}

func (s *side) Close() error {
	s.once.Do(func() { close(s.done) })
	return nil
}

func (s *side) Addr() net.Addr { return s.addr }

func (s *side) give(conn net.Conn) {
	select {
	case s.conns <- conn:
	case <-s.done:
		conn.Close()
	}
}

func openPort(address string, workload *identity.Workload, log *slog.Logger) (*port, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	p := &port{
		listener: listener, workload: workload, tls: workload.ServerTLS(), log: log,
		grpc: newSide(listener.Addr()), pages: newSide(listener.Addr()),
		open: map[*meshConn]*tls.Conn{},
	}
	workload.OnRenewal(p.askAgain)
	return p, nil
}

func (p *port) serve() {
	for {
		conn, err := p.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			time.Sleep(50 * time.Millisecond) // out of file descriptors, perhaps
			continue
		}
		go p.decide(conn)
	}
}

func (p *port) close() { p.listener.Close() }

func (p *port) decide(conn net.Conn) {
	conn.SetDeadline(time.Now().Add(helloTimeout))
	seen := make([]byte, len(preface))
	n, err := io.ReadFull(conn, seen[:1])
	if err != nil {
		conn.Close()
		return
	}
	if seen[0] == handshake {
		p.secure(&meshConn{Conn: conn, seen: seen[:n]})
		return
	}
	for n < len(preface) && bytes.Equal(seen[:n], preface[:n]) {
		more, err := conn.Read(seen[n:])
		if err != nil {
			conn.Close()
			return
		}
		n += more
	}
	conn.SetDeadline(time.Time{})
	plain := &meshConn{Conn: conn, seen: seen[:n]}
	if bytes.Equal(seen[:n], preface) {
		p.grpc.give(plain)
	} else {
		p.pages.give(plain)
	}
}

func (p *port) secure(conn *meshConn) {
	secured := tls.Server(conn, p.tls)
	ctx, cancel := context.WithTimeout(context.Background(), helloTimeout)
	defer cancel()
	if err := secured.HandshakeContext(ctx); err != nil {
		p.log.Debug("TLS handshake failed", "problem", err.Error(), "remoteAddress", conn.RemoteAddr().String())
		secured.Close()
		return
	}
	conn.SetDeadline(time.Time{})
	if secured.ConnectionState().NegotiatedProtocol != "h2" {
		p.pages.give(secured)
		return
	}
	outer := &meshConn{Conn: secured, peer: p.workload.PeerOf(secured.ConnectionState().PeerCertificates)}
	outer.onClose = func() {
		p.mutex.Lock()
		defer p.mutex.Unlock()
		delete(p.open, outer)
	}
	p.mutex.Lock()
	p.open[outer] = secured
	p.mutex.Unlock()
	p.grpc.give(outer)
}

// askAgain ends the connections of peers that are not known by the roots of now: one may have been withdrawn, and
// they have to show a certificate again.
func (p *port) askAgain() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for conn, secured := range p.open {
		if conn.peer.Name != "" && p.workload.PeerOf(secured.ConnectionState().PeerCertificates).Refused != "" {
			go conn.Close()
		}
	}
}

// meshConn is a connection that knows its peer. What was read of it already is read again.
type meshConn struct {
	net.Conn
	seen    []byte
	peer    identity.Peer
	onClose func()
	once    sync.Once
}

func (c *meshConn) Read(buffer []byte) (int, error) {
	if len(c.seen) > 0 {
		n := copy(buffer, c.seen)
		c.seen = c.seen[n:]
		return n, nil
	}
	return c.Conn.Read(buffer)
}

func (c *meshConn) Close() error {
	if c.onClose != nil {
		c.once.Do(c.onClose)
	}
	return c.Conn.Close()
}

// known hands grpc connections whose handshake is over, with what is known of the peer.
type known struct {
	credentials.TransportCredentials
}

type authInfo struct{ identity.Peer }

func (authInfo) AuthType() string { return "mesh" }

func (known) ServerHandshake(conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return conn, authInfo{conn.(*meshConn).peer}, nil
}

func (known) Info() credentials.ProtocolInfo {
	return credentials.ProtocolInfo{SecurityProtocol: "mesh"}
}
func (k known) Clone() credentials.TransportCredentials { return k }
