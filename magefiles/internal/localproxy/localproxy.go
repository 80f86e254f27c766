// Package localproxy is an in-process stand-in for Caddy, for tests and rehearsals. It executes configurations made by package proxy, and rejects
// ones that it does not understand. It passes the same tests as the real Caddy, in proxy/proxytest.
//
//	server.go      listens, reloads, and counts open requests
//	routes.go      routes a request
//	localproxy.go  provides an image for package localengine
package localproxy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/foopack/foopack/magefiles/internal/hoststate"
	"github.com/foopack/foopack/magefiles/internal/localengine"
)

// Image returns an image for localengine whose containers run the proxy, or the script of package hoststate.
func Image(ref string) localengine.Image {
	var running sync.Map // servers, by container
	return localengine.Image{
		Ref: ref,
		Program: func(ctx context.Context, c *localengine.Container) int {
			if c.Command[0] == "sh" {
				return shell(ctx, c, c.Command, c.Stdin, c.Stdout, c.Stderr)
			}
			text, err := os.ReadFile(c.Path(flagValue(c.Command, "--config")))
			if err != nil {
				fmt.Fprintln(c.Stderr, err)
				return 1
			}
			s := &Server{
				Listen: func(address string) (net.Listener, error) {
					_, port, err := net.SplitHostPort(address)
					if err != nil {
						return nil, err
					}
					number, err := strconv.ParseUint(port, 10, 16)
					if err != nil {
						return nil, err
					}
					return c.Listen(uint16(number))
				},
				Dial: c.Dial,
				Path: c.Path,
			}
			defer s.Close()
			if err := s.Load(text); err != nil {
				fmt.Fprintln(c.Stderr, err)
				return 1
			}
			running.Store(c.ID, s)
			defer running.Delete(c.ID)
			<-ctx.Done()
			return 0
		},
		Command: func(c *localengine.Container, argv []string, stdin io.Reader, stdout, stderr io.Writer) (int, bool) {
			s, ok := running.Load(c.ID)
			switch {
			case argv[0] == "caddy":
				err := errors.New("connection refused")
				if ok {
					var text []byte
					if text, err = os.ReadFile(c.Path(flagValue(argv, "--config"))); err == nil {
						err = s.(*Server).Load(text)
					}
				}
				if err != nil {
					fmt.Fprintln(stderr, err)
					return 1, true
				}
				return 0, true
			case asks(argv):
				return ask(c.Dial, argv[6:], stdout), true
			case argv[0] == "sh":
				return shell(context.Background(), c, argv, stdin, stdout, stderr), true
			}
			return 0, false
		},
	}
}

// `flagValue` returns the argument that follows a flag.
func flagValue(argv []string, flag string) string {
	for i, arg := range argv[1:] {
		if argv[i] == flag {
			return arg
		}
	}
	return ""
}

// `asks` reports whether a command is the script's `ask` operation, whose HTTP request must be sent in the container's network.
func asks(argv []string) bool {
	return len(argv) == 9 && argv[0] == "sh" && argv[2] == hoststate.Script && argv[5] == "ask"
}

// ask implements the script's `ask` operation, with the same output.
func ask(dial func(ctx context.Context, network, address string) (net.Conn, error), args []string, out io.Writer) int {
	seconds, err := strconv.Atoi(args[2])
	if err != nil {
		return 64
	}
	client := &http.Client{
		Timeout:       time.Duration(seconds) * time.Second,
		Transport:     &http.Transport{DialContext: dial, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	var head, body bytes.Buffer
	r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, args[0], nil)
	if err != nil {
		return 64
	}
	r.Host = args[1]
	if answer, err := client.Do(r); err == nil {
		defer answer.Body.Close()
		fmt.Fprintf(&head, "  HTTP/1.1 %s\n", answer.Status)
		for name, values := range answer.Header {
			fmt.Fprintf(&head, "  %s: %s\n", name, values[0])
		}
		if answer.StatusCode/100 == 2 {
			_, _ = io.Copy(&body, io.LimitReader(answer.Body, 256<<10))
		}
	}
	text := strings.TrimRight(head.String(), "\n")
	fmt.Fprintf(out, "%s\n%s\n%d", body.Bytes(), text, len(text))
	return 0
}

// shell runs the script with this machine's shell. Volumes are folders there.
func shell(ctx context.Context, c *localengine.Container, argv []string, stdin io.Reader, stdout, stderr io.Writer) int {
	args := make([]string, len(argv))
	for i, arg := range argv {
		args[i] = c.Path(arg)
	}
	if len(args) > 8 && args[5] == "secret" { // an image's users do not exist on this machine
		args[8] = strconv.Itoa(os.Getuid())
	}
	x := exec.CommandContext(ctx, args[0], args[1:]...)
	input, err := io.ReadAll(stdin)
	if err != nil {
		return 1
	}
	x.Stdin, x.Stdout, x.Stderr = bytes.NewReader(input), stdout, stderr
	var exit *exec.ExitError
	if err := x.Run(); errors.As(err, &exit) {
		return max(exit.ExitCode(), 1)
	} else if err != nil {
		return 126
	}
	return 0
}
