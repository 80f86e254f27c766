package gitsettings

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Ask runs git in an environment, without the credentials in it: all that it talks to is a folder, and what it calls (hooks, filters,
// monitors) is code of the repository, or of the person. Those by which a remote lets git in stay for the person's own
// repository alone, see [AsOwner].
// Git's own words are in the error.
func Ask(ctx context.Context, runner command.Runner, env []string, dir string, args ...string) (string, error) {
	return ask(ctx, runner, env, nil, dir, args...)
}

// AsOwner asks git in the person's own repository, which may be a partial clone: git fetches then what it lacks. No hook is run.
func AsOwner(ctx context.Context, runner command.Runner, env []string, dir string, args ...string) (string, error) {
	args = append([]string{"-c", "core.hooksPath=" + os.DevNull, "-c", "core.fsmonitor=false"}, args...)
	return ask(ctx, runner, env, command.Remote, dir, args...)
}

func ask(ctx context.Context, runner command.Runner, env, pass []string, dir string, args ...string) (string, error) {
	env, _ = command.Withhold(env, pass...)
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

// AllowProtocol says which kinds of remotes git may talk to, and keeps it from the embedded one, a folder.
const AllowProtocol = "GIT_ALLOW_PROTOCOL"

// WithoutConfig takes the configuration that a person's environment carries out of one. What it says is in the file.
func WithoutConfig(env []string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		return strings.HasPrefix(name, "GIT_CONFIG") || name == AllowProtocol
	})
}
