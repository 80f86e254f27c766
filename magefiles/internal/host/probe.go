package host

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// look runs on the host if the socket does not respond, because sshd reports a missing socket in the same way as forbidden forwarding. It follows
// symbolic links, such as podman's socket. The path is passed on standard input, so that the command is constant. The exit status is the result.
const look = `sh -c 'IFS= read -r p; p=$(readlink -f "$p") || exit 10; [ -S "$p" ] || exit 10; [ -w "$p" ] || exit 11; [ ! -r /proc/net/unix ] || grep -qF -- "/${p##*/}" /proc/net/unix || exit 12; exit 13'`

var found = map[int]Cause{10: NoSocket, 11: NoRight, 12: NoEngine, 13: Forbidden}

// probe examines the socket on the host.
func (s SSH) probe(ctx context.Context, to destination, config, socket string) Cause {
	ctx, done := context.WithTimeout(ctx, time.Minute)
	defer done()
	c := s.command(to, config, []string{"-T", "-oClearAllForwardings=yes"}, []string{look})
	c.Stdin = strings.NewReader(socket + "\n")
	err := s.Runner.Run(ctx, c)
	var exit *command.ExitError
	if errors.As(err, &exit) && found[exit.Code] != "" {
		return found[exit.Code]
	}
	return Unexplained
}
