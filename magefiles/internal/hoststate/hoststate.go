// Package hoststate stores the state of a host's environments on the host: the lock, the current and previous upstreams, and the audit log. The state
// is in the proxy's volume, from which the proxy reads the upstreams.
//
// A single constant script (script.sh) implements all operations. A Runner runs it in the proxy's container, or in another container of the same
// image. Content is passed on standard input. Arguments are numbers and validated names. Writes are serialized, but nothing is held between
// calls: an environment's lock is data, with a lease that is measured by the host's clock, and a fencing token that only increases.
//
//	lock.go      implements an environment's lock
//	values.go    stores upstreams, and small values for the caller
//	audit.go     implements the audit log
//	services.go  stores the proxy's configuration for each environment
//	secret.go    stores secrets in a release's folder
//	ask.go       sends HTTP requests from inside the proxy's container
//	call.go      calls the script, and interprets its exit status
//	hoststate.go
package hoststate

import (
	"context"
	"regexp"
	"strconv"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Dir is the volume's mount point.
const Dir = "/state"

// None means that there is no upstream, because the files that the proxy reads must not be empty.
const None = "none"

// Runner runs a program where the volume is mounted at Dir. After an error, the program may or may not have run.
type Runner interface {
	Run(ctx context.Context, argv []string, stdin []byte) (stdout []byte, status int, err error)
}

// State accesses the state in a proxy's volume.
type State struct {
	Runner Runner
	Dir    string // defaults to Dir
}

var (
	names     = regexp.MustCompile(`\A[A-Za-z0-9][A-Za-z0-9._-]{0,62}\z`)
	upstreams = regexp.MustCompile(`\A[A-Za-z0-9][A-Za-z0-9._-]{0,62}:[1-9][0-9]{0,4}\z`)
)

// Name reports whether a text is a valid name for an environment, a value or a secret.
func Name(name string) bool { return names.MatchString(name) }

// Upstream reports whether a text is a release's address, ALIAS:PORT.
func Upstream(text string) bool {
	_, port, _ := strings.Cut(text, ":")
	n, err := strconv.Atoi(port)
	return upstreams.MatchString(text) && err == nil && n < 1<<16
}

// Probe returns an error unless the proxy's image and the host meet the script's requirements.
func (s *State) Probe(ctx context.Context) error {
	_, err := s.call(ctx, nil, "probe")
	return err
}

// df matches the numbers in the output of df -P: blocks, used, available, capacity. Device and folder names may contain blanks.
var df = regexp.MustCompile(`\s\d+\s+\d+\s+(\d+)\s+\d+%\s`)

// Free returns the free space on the volume's disk, in bytes.
func (s *State) Free(ctx context.Context) (int64, error) {
	found, err := s.call(ctx, nil, "free")
	if err != nil {
		return 0, err
	}
	m := df.FindStringSubmatch(found.one("df"))
	if m == nil {
		return 0, operr.New("run `df -P` in the proxy's container", "reading the free space of the host's disk from the output of df: %q", found.one("df"))
	}
	blocks, err := strconv.ParseInt(m[1], 10, 53)
	return blocks << 10, err
}
