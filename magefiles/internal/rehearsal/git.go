package rehearsal

import (
	"context"
	"errors"
	"os"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// git asks git for something in a folder, as the person would there, and returns what it answers. Git's own words are in the
// error.
func (r *run) git(ctx context.Context, dir string, args ...string) (string, error) {
	return askGit(ctx, r.Runner, r.Environ, dir, args...)
}

// askGit runs git in an environment, without the credentials in it: all that it talks to is a folder, and what it calls (hooks, filters,
// monitors) is code of the repository, or of the person. Those by which a remote lets git in stay for the person's own
// repository alone, see [asOwner].
func askGit(ctx context.Context, runner command.Runner, env []string, dir string, args ...string) (string, error) {
	return askGitWith(ctx, runner, env, nil, dir, args...)
}

// asOwner asks git in the person's own repository, which may be a partial clone: git fetches then what it lacks. No hook is run.
func asOwner(ctx context.Context, runner command.Runner, env []string, dir string, args ...string) (string, error) {
	args = append([]string{"-c", "core.hooksPath=" + os.DevNull, "-c", "core.fsmonitor=false"}, args...)
	return askGitWith(ctx, runner, env, command.Remote, dir, args...)
}

func askGitWith(ctx context.Context, runner command.Runner, env, pass []string, dir string, args ...string) (string, error) {
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
