// Command deploytest is a small application for test images that run on real engines. Its health response contains REVISION, paths below /secret
// return files of /run/secrets, and / and /file are a page and a file. /socket echoes lines until the client closes the connection. It misbehaves
// according to SICK, DIES (after a time, or shortly after its first page), SAYS (a different revision) and WAITS (before becoming healthy).
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	fmt.Println("it begins")
	server := &http.Server{Addr: ":5006", Handler: application(os.Getenv("REVISION"))}
	go func() {
		if err := server.ListenAndServe(); ctx.Err() == nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}()
	if d, err := time.ParseDuration(os.Getenv("DIES")); err == nil {
		time.AfterFunc(d, die)
	}
	<-ctx.Done()
	_ = server.Shutdown(context.Background())
}

func die() {
	fmt.Println("it dies")
	os.Exit(3)
}

func application(revision string) http.Handler {
	says := revision
	if other := os.Getenv("SAYS"); other != "" {
		says = other
	}
	begin := time.Now()
	waits, _ := time.ParseDuration(os.Getenv("WAITS"))
	first := sync.OnceFunc(func() { fmt.Println("healthy at", time.Now().UnixNano()) })
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) {
		if os.Getenv("SICK") != "" || time.Since(begin) < waits {
			http.Error(w, "not well", http.StatusServiceUnavailable)
			return
		}
		first()
		fmt.Fprintf(w, "{\"revision\": %q}\n", says)
	})
	mux.HandleFunc("/secret/{name}", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFile(w, r, filepath.Join("/run/secrets", filepath.Base(r.PathValue("name"))))
	})
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, "<!doctype html><title>%s</title>", revision)
		if os.Getenv("DIES") == "page" {
			time.AfterFunc(300*time.Millisecond, die)
		}
	})
	mux.HandleFunc("/file", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, revision) })
	mux.HandleFunc("/socket", echo)
	return mux
}

// echo echoes each line received on a connection.
func echo(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Connection", "Upgrade")
	w.Header().Set("Upgrade", "websocket")
	w.WriteHeader(http.StatusSwitchingProtocols)
	conn, both, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	for {
		line, err := both.ReadString('\n')
		if err != nil {
			return
		}
		if _, err := conn.Write([]byte(line)); err != nil {
			return
		}
	}
}
