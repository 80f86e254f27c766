// Command app runs enginetest.App. It is the program in images for a real engine.
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/foopack/foopack/magefiles/internal/engine/enginetest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	os.Exit(enginetest.App(ctx, enginetest.Process{
		Args:   os.Args[1:],
		Env:    os.Getenv,
		Stdin:  os.Stdin,
		Stdout: os.Stdout,
		Stderr: os.Stderr,
		Listen: func(port uint16) (net.Listener, error) { return net.Listen("tcp", fmt.Sprintf(":%d", port)) },
		Dial:   (&net.Dialer{}).DialContext,
		Path:   func(path string) string { return path },
	}))
}
