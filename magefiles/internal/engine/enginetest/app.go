package enginetest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
)

// Process describes the process in which App runs, in a real or fake container.
type Process struct {
	Args           []string // without the program name
	Env            func(name string) string
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Listen         func(port uint16) (net.Listener, error)
	Dial           func(ctx context.Context, network, address string) (net.Conn, error)
	Path           func(path string) string // maps a path in the container to the real path
}

// Port is the port on which App listens.
const Port = 8080

// App is the program in the test suite's image, for both real and fake containers. It returns the exit status, and exits soon after ctx is
// canceled.
func App(ctx context.Context, p Process) int {
	switch p.Args[0] {
	case "serve":
		return serve(ctx, p)
	case "stubborn": // ignores SIGTERM
		fmt.Fprintln(p.Stdout, "stubborn")
		select {}
	case "copy":
		_, _ = io.Copy(p.Stdout, p.Stdin)
		fmt.Fprint(p.Stderr, "copied")
		return 3
	case "write":
		text, _ := io.ReadAll(p.Stdin)
		return status(p, os.WriteFile(p.Path(p.Args[1]), text, 0o400))
	case "read":
		text, err := os.ReadFile(p.Path(p.Args[1]))
		_, _ = p.Stdout.Write(text)
		return status(p, err)
	case "echo":
		fmt.Fprint(p.Stdout, strings.Join(p.Args[1:], "|"))
		return 0
	case "exit":
		n, _ := strconv.Atoi(p.Args[1])
		return n
	case "check":
		return 0
	}
	return status(p, fmt.Errorf("%q is unknown", p.Args))
}

func status(p Process, err error) int {
	if err != nil {
		fmt.Fprintln(p.Stderr, err)
		return 1
	}
	return 0
}

// serve returns the value of NAME for /, and HOST:PORT's response for /ask?host=HOST:PORT.
func serve(ctx context.Context, p Process) int {
	listener, err := p.Listen(Port)
	if err != nil {
		return status(p, err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, "I am %s", p.Env("NAME")) })
	mux.HandleFunc("/ask", func(w http.ResponseWriter, r *http.Request) {
		conn, err := p.Dial(r.Context(), "tcp", r.URL.Query().Get("host"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer conn.Close()
		fmt.Fprintf(conn, "GET / HTTP/1.0\r\n\r\n")
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer answer.Body.Close()
		_, _ = io.Copy(w, answer.Body)
	})
	server := &http.Server{Handler: mux}
	go func() { _ = server.Serve(listener) }()
	fmt.Fprintln(p.Stdout, "serving")
	fmt.Fprintln(p.Stderr, "careful")
	<-ctx.Done()
	_ = server.Close()
	fmt.Fprintln(p.Stdout, "bye")
	return 0
}
