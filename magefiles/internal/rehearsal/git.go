package rehearsal

import (
	"context"
	"errors"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// git asks git for something in a folder, as the person would there, and returns what it answers. Git's own words are in the
// error.
func (r *run) git(ctx context.Context, dir string, args ...string) (string, error) {
	return askGit(ctx, r.Runner, nil, dir, args...)
}

// askGit runs git in an environment; nil is the runner's.
func askGit(ctx context.Context, runner command.Runner, env []string, dir string, args ...string) (string, error) {
	out, err := command.Output(ctx, runner, command.Cmd{Name: "git", Args: args, Dir: dir, Env: env, Gentle: true})
	var exit *command.ExitError
	if errors.As(err, &exit) {
		err = operr.New("see what git says above", "git %s: %w", verb(args), err).WithDetail(exit.Tail)
	}
	return out, err
}

// verb is what git was asked to do, without the options in front of it.
func verb(args []string) string {
	for i := 0; i < len(args); i++ {
		switch {
		case args[i] == "-c" || args[i] == "-C":
			i++
		case args[i] != "" && args[i][0] != '-':
			return args[i]
		}
	}
	return ""
}
