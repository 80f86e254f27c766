// Command deploytest is a small application, for images that real engines run: its health answer has the REVISION, a file below
// /secret is one of /run/secrets, and SICK and DIES spoil it.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	fmt.Println("it begins")
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) {
		if os.Getenv("SICK") != "" {
			http.Error(w, "not well", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintf(w, "{\"revision\": %q}\n", os.Getenv("REVISION"))
	})
	mux.HandleFunc("/secret/{name}", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFile(w, r, filepath.Join("/run/secrets", filepath.Base(r.PathValue("name"))))
	})
	server := &http.Server{Addr: ":5006", Handler: mux}
	go func() {
		if err := server.ListenAndServe(); ctx.Err() == nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}()
	var over <-chan time.Time
	if d, err := time.ParseDuration(os.Getenv("DIES")); err == nil {
		over = time.After(d)
	}
	select {
	case <-ctx.Done():
		_ = server.Shutdown(context.Background())
	case <-over:
		fmt.Println("it dies")
		os.Exit(3)
	}
}
