package targets

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/magefile/mage/mg"
	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/view"
)

// Credentials are hidden in output for people, but not in output that a program parses.
func TestSecretsAreHiddenFromUsers(t *testing.T) {
	t.Setenv("PREFIX_API_KEY", "release-candidate")
	require.Equal(t, "the branch *** is there", plain(errors.New("the branch release-candidate is there")).Error())
	for name, err := range map[string]error{
		"as it is": operr.NewUsage("see release-candidate", "x").WithDetail("of release-candidate"),
		"wrapped":  fmt.Errorf("x: %w", operr.NewUsage("see release-candidate", "y").WithDetail("of release-candidate")),
		"within":   operr.New("see release-candidate", "x: %w", operr.NewUsage("", "y").WithDetail("of release-candidate")),
		"a cure":   operr.NewUsage("else", "x: %w", operr.AddCure("see release-candidate", errors.New("y"))).WithDetail("of release-candidate"),
		"a cure, deep": fmt.Errorf("z: %w", fmt.Errorf("y: %w", operr.AddCure("see release-candidate",
			operr.NewUsage("else", "x").WithDetail("of release-candidate")))),
	} {
		require.Contains(t, fmt.Sprintf("%+v", plain(err)), "of ***\n→ see ***", name)
		require.Equal(t, operr.ExitStatus(err), plain(err).ExitStatus(), name)
	}
	var out bytes.Buffer
	v := view.View{Out: command.Mask(&out, secrets()...), Err: command.Mask(&out, secrets()...)}
	v.Say("on %s", "release-candidate")
	v.Table([]string{"A"}, [][]string{{"release-candidate"}})
	require.Equal(t, "on ***\nA\n***\n", out.String())
	out.Reset()
	require.NoError(t, v.JSON("release-candidate"))
	require.Equal(t, "\"release-candidate\"\n", out.String())
}

// The values of all variables with the name of a credential are hidden, not only those that the pipeline uses, and so is a proxy's password.
func TestSecretsOfAnyToolAreHiddenFromUsers(t *testing.T) {
	for name, value := range map[string]string{
		"GH_TOKEN": "ghp_AbCdEfGhIj", "HTTPS_PROXY": "http://u:passw0rdxyz@127.0.0.1:9", "DEPLOY_SSH_PRIVATE_KEY": "first-line\r\nanother-line", "TICKETS_API_KEY": "key-of-tickets",
	} {
		t.Setenv(name, value)
	}
	for _, secret := range []string{"ghp_AbCdEfGhIj", "passw0rdxyz", "another-line", "key-of-tickets"} {
		require.Equal(t, "it says ***", plain(errors.New("it says "+secret)).Error())
		var out bytes.Buffer
		v := view.View{Err: command.Mask(&out, secrets()...)}
		v.Say("it says %s", secret)
		require.Equal(t, "it says ***\n", out.String())
	}
}

// A panic of ours is reported with its place in the code, even if the run was ended meanwhile. Mage handles its own panics.
func TestPanicIsReportedWithItsPlace(t *testing.T) {
	var none func()
	for name, ends := range map[string]bool{"by itself": false, "while it is ended": true} {
		t.Run(name, func(t *testing.T) {
			err := run(t.Context(), func(ctx context.Context, _ *pipeline) error {
				if ends {
					endMyself(t, ctx)
				}
				none()
				return nil
			})
			require.ErrorContains(t, err, "the program panicked: runtime error: invalid memory address")
			require.Contains(t, fmt.Sprintf("%+v", err), "lifetime_test.go")
			require.NotContains(t, fmt.Sprintf("%+v", err), "nothing was left half done")
		})
	}
	require.PanicsWithError(t, "a job failed", func() {
		_ = run(t.Context(), func(context.Context, *pipeline) error { panic(mg.Fatal(3, "a job failed")) })
	})
}

// One signal ends all running jobs, although each job handles signals separately, and the jobs that have not begun do not begin.
func TestASignalEndsAllJobs(t *testing.T) {
	begun := make(chan string, 10)
	job := func(ctx context.Context, name string) error {
		return runJob(ctx, func(ctx context.Context, _ *pipeline) error {
			begun <- name
			<-ctx.Done()
			return context.Cause(ctx)
		})
	}
	var said any
	func() {
		defer func() { said = recover() }()
		_ = run(t.Context(), func(ctx context.Context, _ *pipeline) error {
			go func() {
				for range 2 {
					<-begun
				}
				_ = syscall.Kill(syscall.Getpid(), syscall.SIGTERM)
			}()
			mg.CtxDeps(ctx, mg.F(job, "a"), mg.F(job, "b"))
			mg.CtxDeps(ctx, mg.F(job, "c"))
			return nil
		})
	}()
	require.Equal(t, 1, mg.ExitStatus(said.(error)))
	require.Regexp(t, `^(stopped by a signal \(terminated\)\n?){2}$`, fmt.Sprint(said))
	require.Empty(t, begun)
}

// endMyself sends this process a SIGTERM, and waits until the signal has ended ctx.
func endMyself(t *testing.T, ctx context.Context) {
	t.Helper()
	require.NoError(t, syscall.Kill(syscall.Getpid(), syscall.SIGTERM))
	select {
	case <-ctx.Done():
	case <-time.After(time.Minute):
		require.Fail(t, "the run goes on")
	}
}
