// Init takes a pixi monorepo to its first rehearsal of a release:
//
//	go run github.com/foopack/foopack/magefiles/init@VERSION
//
// It shows what it found and what it would write, asks, writes all of it or nothing, and rehearses a release of a clone in which these files
// are committed.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"github.com/foopack/foopack/magefiles/internal/adopt"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/targets"
)

func main() {
	var r adopt.Request
	yes := flag.Bool("yes", false, "do not ask")
	flag.BoolVar(&r.Dry, "dry", false, "write nothing")
	flag.BoolVar(&r.Pixi, "pixi", false, "add a task `mage` to the manifest, with go as its dependency, for people who have pixi but not Go")
	flag.BoolVar(&r.NoRehearse, "norehearse", false, "do not rehearse a release after writing the files")
	flag.StringVar(&r.Channel, "channel", "", "the channel on prefix.dev, if the manifests do not name a channel")
	flag.Parse()
	err := error(nil)
	if flag.NArg() > 0 {
		err = operr.NewUsage("init takes -dry, -yes, -pixi, -norehearse and -channel=NAME", "init has no argument %q", flag.Arg(0))
	}
	if err == nil {
		err = targets.Adopt(context.Background(), r, *yes)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "Error: %+v\n", err)
		os.Exit(operr.ExitStatus(err))
	}
}
