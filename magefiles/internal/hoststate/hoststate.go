// Package hoststate keeps, on a host, what has to be known of its environments: who changes one, which release answers, which answered before,
// and who did what. It is kept in the volume of the proxy, which reads the upstreams there.
//
// All of it is done by one constant script (script.sh), which a Runner runs in the proxy's container, or in another one of the same image. What is
// written goes over standard input; arguments are numbers and strict names. Only one call writes at a time, and none outlasts itself: a lock of an
// environment is data, with a lease that the host's own clock counts, and a number that only grows.
//
//	lock.go      who may change an environment, and until when
//	values.go    upstreams, and small values of the caller's
//	audit.go     who did what
//	services.go  what the proxy does for each environment
//	secret.go    secrets, in a folder of a release
//	ask.go       questions over HTTP, from inside the proxy's container
//	call.go      one call of the script, and what its status means
//	hoststate.go
package hoststate

import (
	"context"
	"regexp"
	"strconv"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Dir is where the volume is mounted.
const Dir = "/state"

// None stands where there is no upstream: the files that the proxy reads are never empty.
const None = "none"

// Runner runs a program where the volume is mounted as Dir. An error says that it is not known what came of it.
type Runner interface {
	Run(ctx context.Context, argv []string, stdin []byte) (stdout []byte, status int, err error)
}

// State is what one proxy's volume holds.
type State struct {
	Runner Runner
	Dir    string // "" for Dir
}

var (
	names     = regexp.MustCompile(`\A[A-Za-z0-9][A-Za-z0-9._-]{0,62}\z`)
	upstreams = regexp.MustCompile(`\A[A-Za-z0-9][A-Za-z0-9._-]{0,62}:[1-9][0-9]{0,4}\z`)
)

// Name reports whether an environment, a value or a secret may have this name.
func Name(name string) bool { return names.MatchString(name) }

// Upstream reports whether this is where a release answers: ALIAS:PORT.
func Upstream(text string) bool {
	_, port, _ := strings.Cut(text, ":")
	n, err := strconv.Atoi(port)
	return upstreams.MatchString(text) && err == nil && n < 1<<16
}

// Probe finds out whether the proxy's image, and the host, have what the script needs.
func (s *State) Probe(ctx context.Context) error {
	_, err := s.call(ctx, nil, "probe")
	return err
}

// of df -P: blocks, used, available, capacity. Names of devices and folders may have blanks.
var df = regexp.MustCompile(`\s\d+\s+\d+\s+(\d+)\s+\d+%\s`)

// Free is how many bytes the disk has left where the volume is.
func (s *State) Free(ctx context.Context) (int64, error) {
	found, err := s.call(ctx, nil, "free")
	if err != nil {
		return 0, err
	}
	m := df.FindStringSubmatch(found.one("df"))
	if m == nil {
		return 0, operr.New("see `df -P` in the proxy's container", "how much the disk has left cannot be read from %q", found.one("df"))
	}
	blocks, err := strconv.ParseInt(m[1], 10, 53)
	return blocks << 10, err
}
