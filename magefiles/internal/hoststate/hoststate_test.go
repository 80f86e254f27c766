package hoststate_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/hoststate"
	"github.com/foopack/foopack/magefiles/internal/hoststate/hoststatetest"
)

const env = "app.staging"

var somebody = hoststate.Holder{Who: "Ann", From: "laptop", Since: time.Date(2026, 11, 29, 10, 0, 0, 0, time.UTC)}

// shells returns the shells to test the script with: the system's, and busybox if it is installed.
func shells() map[string][]string {
	all := map[string][]string{"sh": nil}
	for _, name := range []string{"dash", "bash"} {
		if path, err := exec.LookPath(name); err == nil {
			all[name] = []string{path}
		}
	}
	if path, err := exec.LookPath("busybox"); err == nil {
		all["busybox"] = []string{path, "sh"}
	}
	return all
}

// `each` runs a test with every shell.
func each(t *testing.T, test func(t *testing.T, s *hoststate.State)) {
	for name, shell := range shells() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, &hoststate.State{Runner: hoststatetest.Local{Shell: shell}, Dir: t.TempDir()})
		})
	}
}

func TestLockAcquireRenewRelease(t *testing.T) {
	each(t, func(t *testing.T, s *hoststate.State) {
		ctx := t.Context()
		require.NoError(t, s.Probe(ctx))
		seen, err := s.Look(ctx, env)
		require.NoError(t, err)
		require.Equal(t, hoststate.Seen{Values: map[string]string{}}, seen)

		taken, err := s.Take(ctx, env, somebody, time.Minute)
		require.NoError(t, err)
		require.Equal(t, hoststate.Taken{Fence: 1}, taken)
		_, err = s.Take(ctx, env, hoststate.Holder{Who: "Bob"}, time.Minute)
		var held *hoststate.Held
		require.ErrorAs(t, err, &held)
		require.Equal(t, &somebody, held.Holder)
		require.InDelta(t, time.Minute, held.Left, float64(5*time.Second))
		require.ErrorContains(t, err, "Ann on laptop")

		require.NoError(t, s.Renew(ctx, env, 1, time.Hour))
		seen, err = s.Look(ctx, env)
		require.NoError(t, err)
		require.InDelta(t, time.Hour, seen.Lock.Left, float64(5*time.Second))
		require.Equal(t, []string{"none", "none", "none"}, []string{seen.Up, seen.Prev, seen.Next})

		require.NoError(t, s.Release(ctx, env, 1))
		var lost *hoststate.Lost
		require.ErrorAs(t, s.Renew(ctx, env, 1, time.Minute), &lost)
		require.Nil(t, lost.Holder)
		taken, err = s.Take(ctx, env, somebody, time.Minute)
		require.NoError(t, err)
		require.Equal(t, hoststate.Taken{Fence: 2}, taken)
	})
}

func TestExpiredLeaseIsTakenOver(t *testing.T) {
	s := hoststatetest.New(t)
	ctx := t.Context()
	_, err := s.Take(ctx, env, somebody, 0)
	require.NoError(t, err)
	var taken hoststate.Taken
	require.Eventually(t, func() bool {
		taken, err = s.Take(ctx, env, hoststate.Holder{Who: "Bob"}, time.Minute)
		return err == nil
	}, 10*time.Second, 50*time.Millisecond)
	require.Equal(t, hoststate.Taken{Fence: 2, From: &somebody}, taken)

	// When the first holder resumes, it cannot change anything.
	var lost *hoststate.Lost
	for _, err := range []error{
		s.Renew(ctx, env, 1, time.Minute), s.Release(ctx, env, 1), s.Switch(ctx, env, 1, "old:80"),
		s.SetNext(ctx, env, 1, "old:80"), s.SetPrev(ctx, env, 1, "old:80"), s.Set(ctx, env, 1, "record", "x"), s.Serve(ctx, env, 1, "x"),
	} {
		require.ErrorAs(t, err, &lost)
		require.Equal(t, "Bob", lost.Holder.Who)
	}
	seen, err := s.Look(ctx, env)
	require.NoError(t, err)
	require.Equal(t, "none", seen.Up)
	require.Empty(t, seen.Values)
	require.NoError(t, s.Renew(ctx, env, 2, time.Minute))
}

// If nobody else has acquired the lock, a run that was suspended continues.
func TestExpiredLeaseCanBeRenewed(t *testing.T) {
	s := hoststatetest.New(t)
	_, err := s.Take(t.Context(), env, somebody, 0)
	require.NoError(t, err)
	require.Eventually(t, func() bool { l, err := s.Look(t.Context(), env); return err == nil && l.Lock.Left == 0 }, 10*time.Second, 50*time.Millisecond)
	require.NoError(t, s.Renew(t.Context(), env, 1, time.Minute))
	require.NoError(t, s.Switch(t.Context(), env, 1, "new:80"))
}

func TestALockOfAnotherBoot(t *testing.T) {
	s := hoststatetest.New(t)
	ctx := t.Context()
	_, err := s.Take(ctx, env, somebody, time.Minute)
	require.NoError(t, err)
	file := filepath.Join(s.Dir, "env", env, "lock")
	holder := strings.Split(string(read(t, file)), "\n")[4]
	up, _, _ := strings.Cut(string(read(t, "/proc/uptime")), ".")

	// After a reboot, the lease starts again, regardless of the previous boot's clock.
	require.NoError(t, os.WriteFile(file, []byte("7\nanother-boot\n999999999999\n99999999999\n"+holder+"\n"), 0o600))
	_, err = s.Take(ctx, env, somebody, time.Minute)
	var held *hoststate.Held
	require.ErrorAs(t, err, &held)
	require.NoError(t, os.WriteFile(file, []byte("7\nanother-boot\n999999999999\n"+fmt.Sprint(max(1, len(up)-1))+"\n"+holder+"\n"), 0o600))
	taken, err := s.Take(ctx, env, somebody, time.Minute)
	require.NoError(t, err)
	require.Equal(t, hoststate.Taken{Fence: 8, From: &somebody}, taken)
}

func TestUnlockNamesTheHolder(t *testing.T) {
	s := hoststatetest.New(t)
	ctx := t.Context()
	from, err := s.Unlock(ctx, env)
	require.NoError(t, err)
	require.Nil(t, from)
	_, err = s.Take(ctx, env, somebody, time.Hour)
	require.NoError(t, err)
	from, err = s.Unlock(ctx, env)
	require.NoError(t, err)
	require.Equal(t, &somebody, from)
	var lost *hoststate.Lost
	require.ErrorAs(t, s.Renew(ctx, env, 1, time.Hour), &lost)
	taken, err := s.Take(ctx, env, somebody, time.Hour)
	require.NoError(t, err)
	require.EqualValues(t, 3, taken.Fence)
}

func TestConcurrentLocks(t *testing.T) {
	s := hoststatetest.New(t)
	var won, refused atomic.Int32
	var all sync.WaitGroup
	for i := range 24 {
		all.Go(func() {
			_, err := s.Take(t.Context(), env, hoststate.Holder{Who: fmt.Sprint(i)}, time.Minute)
			var held *hoststate.Held
			if err == nil {
				won.Add(1)
			} else if errors.As(err, &held) {
				refused.Add(1)
			}
		})
	}
	all.Wait()
	require.EqualValues(t, 1, won.Load())
	require.EqualValues(t, 23, refused.Load())
	seen, err := s.Look(t.Context(), env)
	require.NoError(t, err)
	require.EqualValues(t, 1, seen.Lock.Fence)
}

func TestSwitchKeepsThePreviousUpstream(t *testing.T) {
	each(t, func(t *testing.T, s *hoststate.State) {
		ctx := t.Context()
		taken, err := s.Take(ctx, env, somebody, time.Minute)
		require.NoError(t, err)
		for range 2 { // a second call changes nothing
			require.NoError(t, s.Switch(ctx, env, taken.Fence, "app-1:8080"))
		}
		require.NoError(t, s.SetNext(ctx, env, taken.Fence, "app-2:8080"))
		for range 2 {
			require.NoError(t, s.Switch(ctx, env, taken.Fence, "app-2:8080"))
		}
		seen, err := s.Look(ctx, env)
		require.NoError(t, err)
		require.Equal(t, []string{"app-2:8080", "app-1:8080", "app-2:8080"}, []string{seen.Up, seen.Prev, seen.Next})
		require.NoError(t, s.SetPrev(ctx, env, taken.Fence, hoststate.None))
		require.NoError(t, s.SetNext(ctx, env, taken.Fence, hoststate.None))
		seen, err = s.Look(ctx, env)
		require.NoError(t, err)
		require.Equal(t, []string{"app-2:8080", "none", "none"}, []string{seen.Up, seen.Prev, seen.Next})
		require.Equal(t, "app-2:8080", string(read(t, filepath.Join(s.Dir, "env", env, "up"))), "the proxy reads this file unchanged")
	})
}

// hostile are values that must be treated as data everywhere.
var hostile = []string{
	"two words", `"quoted" and 'quoted'`, "$HOME $(touch /tmp/x) `id`", "two\nlines\n\n", "-n", "--help", "*", "\\n\\0", "ä€\xff", "%s%n", "{file./etc/passwd}", " ", "\n",
	strings.Repeat("long ", 30000),
}

func TestHostileValuesArePreserved(t *testing.T) {
	each(t, func(t *testing.T, s *hoststate.State) {
		ctx := t.Context()
		// All short values together, converted to valid UTF-8 for JSON.
		text := strings.ToValidUTF8(strings.Join(hostile[:len(hostile)-1], ""), "?")
		who := hoststate.Holder{Who: text, From: "-rf", Run: `"$1"`, Since: somebody.Since}
		taken, err := s.Take(ctx, env, who, time.Minute)
		require.NoError(t, err)
		want := map[string]string{}
		for i, text := range hostile {
			name := fmt.Sprintf("value-%d", i)
			want[name] = text
			require.NoError(t, s.Set(ctx, env, taken.Fence, name, text))
		}
		seen, err := s.Look(ctx, env)
		require.NoError(t, err)
		require.Equal(t, want, seen.Values)
		require.Equal(t, &who, seen.Lock.Holder)
		entry := hoststate.Entry{At: somebody.Since, Who: text, From: "-n", What: "$0"}
		require.NoError(t, s.Audit(ctx, env, entry))
		entries, err := s.AuditLog(ctx, env, 100)
		require.NoError(t, err)
		require.Equal(t, []hoststate.Entry{entry}, entries)
	})
}

func TestHostileNamesAndNumbersAreRefused(t *testing.T) {
	s := hoststatetest.New(t)
	ctx := t.Context()
	_, err := s.Take(ctx, env, somebody, time.Minute)
	require.NoError(t, err)
	before := tree(t, s.Dir)
	for _, name := range append(slices.Clone(hostile), "", ".", "..", "../x", "a/b", ".hidden", strings.Repeat("x", 64)) {
		require.False(t, hoststate.Name(name), name)
		require.False(t, hoststate.Upstream(name+":80"), name)
		_, err := s.Take(ctx, name, somebody, time.Minute)
		require.Error(t, err, "%q", name)
		require.Error(t, s.Set(ctx, env, 1, name, "x"))
		require.Error(t, s.Switch(ctx, env, 1, name))
		require.Error(t, s.PutSecret(ctx, s.Dir, name, os.Getuid(), []byte("x")))
		require.Error(t, s.PutSecret(ctx, name, "x", os.Getuid(), []byte("x")))
		_, err = s.Look(ctx, name)
		require.Error(t, err)
		_, err = s.Ask(ctx, name, "x", time.Second)
		require.Error(t, err)
	}
	for _, argument := range []string{"", "-1", "1x", "01", "0x1", " 1", "1 ", "1\n", "$((1))", "9999999999999999", "a[$(id)]"} {
		for _, args := range [][]string{{"take", env, argument, "1"}, {"take", env, "1", argument}, {"renew", env, argument, "1"}, {"renew", env, "1", argument}, {"audited", env, argument}, {"configure", argument, "1"}} {
			out, status, err := s.Runner.Run(ctx, append([]string{"sh", "-c", hoststate.Script, "sh", s.Dir}, args...), []byte("x"))
			require.NoError(t, err)
			require.Equal(t, 64, status, "%q: %s", args, out)
		}
	}
	for _, name := range []string{"up", "prev", "next", "value.partial"} {
		require.ErrorContains(t, s.Set(ctx, env, 1, name, "x"), "is not a valid name of a value")
	}
	require.ErrorContains(t, s.Set(ctx, env, 1, "value", "a\x00b"), "has a NUL byte")
	for _, args := range [][]string{{"take", env, "60", "3"}, {"audit", env, "3"}} {
		out, status, err := s.Runner.Run(ctx, append([]string{"sh", "-c", hoststate.Script, "sh", s.Dir}, args...), []byte("a\nb"))
		require.NoError(t, err)
		require.Equal(t, 64, status, "%q: %s", args, out)
	}
	require.Error(t, s.Set(ctx, env, 1, "empty", ""), "a value must not be empty")
	for _, text := range []string{"a:0", "a:65536", "a:080", "-a:80", "a", ":80", "a:80\n", "127.0.0.1:22 "} {
		require.False(t, hoststate.Upstream(text), text)
	}
	require.True(t, hoststate.Upstream("app-1.x_y:65535"))
	require.Equal(t, before, tree(t, s.Dir))
}

func TestTruncatedInputIsNotWritten(t *testing.T) {
	s := hoststatetest.New(t)
	ctx := t.Context()
	_, err := s.Take(ctx, env, somebody, time.Minute)
	require.NoError(t, err)
	before := tree(t, s.Dir)
	for _, args := range [][]string{{"write", env, "1", "up", "9"}, {"switch", env, "1", "9"}, {"take", "other", "60", "9"}, {"audit", env, "9"}, {"secret", s.Dir, "x", fmt.Sprint(os.Getuid()), "9"}} {
		_, status, err := s.Runner.Run(ctx, append([]string{"sh", "-c", hoststate.Script, "sh", s.Dir}, args...), []byte("app-1:80"))
		require.NoError(t, err)
		require.Equal(t, 75, status, args)
	}
	require.Equal(t, before, tree(t, s.Dir))
}

func TestSecrets(t *testing.T) {
	each(t, func(t *testing.T, s *hoststate.State) {
		folder := t.TempDir()
		value := []byte("s3cr3t \x00\n$x'\"\xff\n")
		var sent []string
		local := s.Runner.(hoststatetest.Local)
		local.Seen = func(argv, _ []byte) { sent = append(sent, string(argv)) }
		s.Runner = local
		for range 2 {
			require.NoError(t, s.PutSecret(t.Context(), folder, "TOKEN", os.Getuid(), value))
		}
		require.NoError(t, s.PutSecret(t.Context(), folder, "EMPTY", os.Getuid(), nil))
		require.Equal(t, value, read(t, filepath.Join(folder, "TOKEN")))
		info, err := os.Stat(filepath.Join(folder, "TOKEN"))
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o400), info.Mode())
		require.NotContains(t, strings.Join(sent, ""), "s3cr3t")
		require.Len(t, tree(t, folder), 2)
		if os.Getuid() == 0 {
			require.NoError(t, s.PutSecret(t.Context(), folder, "TOKEN", 1234, value))
			info, err := os.Stat(filepath.Join(folder, "TOKEN"))
			require.NoError(t, err)
			require.EqualValues(t, 1234, info.Sys().(*syscall.Stat_t).Uid)
			require.Equal(t, os.FileMode(0o400), info.Mode())
		}
	})
}

func TestImageLacksAProgram(t *testing.T) {
	without := func(t *testing.T, missing ...string) *hoststate.State {
		bin := t.TempDir()
		for _, name := range []string{"sh", "cat", "flock", "timeout", "sync", "wc", "mv", "rm", "mkdir", "head", "tail", "df", "wget", "curl", "id", "chown"} {
			if path, err := exec.LookPath(name); err == nil && !slices.Contains(missing, name) {
				require.NoError(t, os.Symlink(path, filepath.Join(bin, name)))
			}
		}
		path, err := exec.LookPath("sh")
		require.NoError(t, err)
		return &hoststate.State{Runner: hoststatetest.Local{Shell: []string{path}, Env: []string{"PATH=" + bin}}, Dir: t.TempDir()}
	}
	s := without(t, "flock")
	require.ErrorContains(t, s.Probe(t.Context()), "no program flock")
	_, err := s.Take(t.Context(), env, somebody, time.Minute)
	require.ErrorContains(t, err, "no program flock")
	require.Empty(t, tree(t, s.Dir))
	require.ErrorContains(t, without(t, "wget", "curl").Probe(t.Context()), "neither wget nor curl")
	require.NoError(t, without(t).Probe(t.Context()))
}

func TestFreeDiskSpace(t *testing.T) {
	each(t, func(t *testing.T, s *hoststate.State) {
		free, err := s.Free(t.Context())
		require.NoError(t, err)
		var fs syscall.Statfs_t
		require.NoError(t, syscall.Statfs(s.Dir, &fs))
		require.InEpsilon(t, float64(fs.Bavail)*float64(fs.Bsize), float64(free), 0.05)
	})
}

// A file that cannot be written completely does not replace the old one.
func TestFullDiskKeepsTheOldFile(t *testing.T) {
	s := hoststatetest.New(t)
	ctx := t.Context()
	_, err := s.Take(ctx, env, somebody, time.Minute)
	require.NoError(t, err)
	require.NoError(t, s.Set(ctx, env, 1, "record", "old"))
	before := tree(t, s.Dir)
	full := limited(s, "8")
	err = full.Set(ctx, env, 1, "record", strings.Repeat("x", 100000))
	require.ErrorContains(t, err, "the old record is unchanged")
	require.Error(t, full.PutSecret(ctx, s.Dir, "x", os.Getuid(), make([]byte, 100000)))
	require.Equal(t, before, tree(t, s.Dir))
}

// limited returns a state with a limit on the size of files, in blocks.
func limited(s *hoststate.State, blocks string) *hoststate.State {
	return &hoststate.State{Dir: s.Dir, Runner: hoststatetest.Local{Shell: []string{"sh", "-c", `trap "" XFSZ; ulimit -f ` + blocks + `; shift; exec sh -c "$@"`, "sh"}}}
}

// A lock can be released or removed on a full disk: the token still increases, and the old holder loses the lock.
func TestLockIsReleasedOnAFullDisk(t *testing.T) {
	s := hoststatetest.New(t)
	full := limited(s, "0")
	ctx := t.Context()
	taken, err := s.Take(ctx, env, somebody, time.Minute)
	require.NoError(t, err)
	_, err = full.Take(ctx, env, somebody, time.Minute)
	require.ErrorAs(t, err, new(*hoststate.Held))
	require.NoError(t, full.Renew(ctx, env, taken.Fence, time.Minute), "the whole lease is left: nothing is written")
	require.ErrorIs(t, full.Renew(ctx, env, taken.Fence, 2*time.Minute), hoststate.ErrNotWritten)
	from, err := full.Unlock(ctx, env)
	require.NoError(t, err)
	require.Equal(t, &somebody, from)
	from, err = full.Unlock(ctx, env)
	require.NoError(t, err)
	require.Nil(t, from)
	require.ErrorAs(t, s.Renew(ctx, env, taken.Fence, time.Minute), new(*hoststate.Lost))
	again, err := s.Take(ctx, env, somebody, time.Minute)
	require.NoError(t, err)
	require.Greater(t, again.Fence, taken.Fence)
	require.NoError(t, full.Release(ctx, env, again.Fence))
	require.ErrorAs(t, s.Renew(ctx, env, again.Fence, time.Minute), new(*hoststate.Lost))
	last, err := s.Take(ctx, env, somebody, time.Minute)
	require.NoError(t, err)
	require.Greater(t, last.Fence, again.Fence)
	seen, err := s.Look(ctx, env)
	require.NoError(t, err)
	require.Equal(t, &somebody, seen.Lock.Holder)
}

// Leases use whole seconds, rounded up. A timeout is never 0, which timeout(1) treats as infinite.
func TestLeasesAreRoundedUp(t *testing.T) {
	var sent []string
	s := &hoststate.State{Runner: hoststatetest.Local{Seen: func(argv, _ []byte) { sent = strings.Split(string(argv), "\x00") }}, Dir: t.TempDir()}
	taken, err := s.Take(t.Context(), env, somebody, 60100*time.Millisecond)
	require.NoError(t, err)
	require.Contains(t, sent, "61")
	require.NoError(t, s.Renew(t.Context(), env, taken.Fence, 59*time.Second+time.Nanosecond))
	require.Contains(t, sent, "60")
	_, err = s.Ask(t.Context(), "http://127.0.0.1:1/", "a", time.Millisecond)
	require.NoError(t, err)
	require.Equal(t, "1", sent[len(sent)-2])
}

func TestTheAuditSurvivesATornLine(t *testing.T) {
	s := hoststatetest.New(t)
	ctx := t.Context()
	require.NoError(t, s.Audit(ctx, env, hoststate.Entry{What: "one"}))
	file := filepath.Join(s.Dir, "env", env, "audit")
	require.NoError(t, os.WriteFile(file, append(read(t, file), `{"what":"tor`...), 0o600))
	require.NoError(t, s.Audit(ctx, env, hoststate.Entry{What: "two"}))
	entries, err := s.AuditLog(ctx, env, 10)
	require.NoError(t, err)
	require.Len(t, entries, 2)
	require.Equal(t, "two", entries[1].What)

	// The audit log is limited in size.
	require.NoError(t, os.WriteFile(file, []byte(strings.Repeat(`{"what":"`+strings.Repeat("x", 400)+"\"}\n", 3000)), 0o600))
	require.NoError(t, s.Audit(ctx, env, hoststate.Entry{What: "three"}))
	require.Less(t, len(read(t, file)), 500000)
	entries, err = s.AuditLog(ctx, env, 1)
	require.NoError(t, err)
	require.Equal(t, "three", entries[0].What)
}

func TestServicesAreConfiguredTogether(t *testing.T) {
	s := hoststatetest.New(t)
	ctx := t.Context()
	all, err := s.Services(ctx)
	require.NoError(t, err)
	require.Equal(t, hoststate.Services{Of: map[string]string{}}, all)
	for _, env := range []string{"a", "b"} {
		_, err := s.Take(ctx, env, somebody, time.Minute)
		require.NoError(t, err)
	}
	require.NoError(t, s.Serve(ctx, "a", 1, `{"x": 1}`))
	require.NoError(t, s.Serve(ctx, "a", 1, `{"x": 1}`))
	one, err := s.Services(ctx)
	require.NoError(t, err)
	require.Equal(t, hoststate.Services{Generation: 1, Of: map[string]string{"a": `{"x": 1}`}}, one)
	require.NoError(t, s.Serve(ctx, "b", 1, "y"))
	current, err := s.Configure(ctx, one.Generation, "of a alone")
	require.NoError(t, err)
	require.False(t, current)
	current, err = s.Configure(ctx, 2, "of both")
	require.NoError(t, err)
	require.True(t, current)
	require.NoError(t, s.Serve(ctx, "b", 1, hoststate.None))
	all, err = s.Services(ctx)
	require.NoError(t, err)
	require.Equal(t, hoststate.Services{Generation: 3, Config: "of both", Of: map[string]string{"a": `{"x": 1}`}}, all)
}

// Each call is killed at many different times, with its child processes. Afterwards, everything is readable, with either its old or its new
// content.
func TestCallsKilledAtRandom(t *testing.T) {
	s := hoststatetest.New(t)
	ctx := t.Context()
	secrets := t.TempDir()
	big := strings.Repeat("x", 50000)
	fence := func() int64 { seen, err := s.Look(ctx, env); require.NoError(t, err); return seen.Lock.Fence }
	take := func(s *hoststate.State) error { _, err := s.Take(ctx, env, somebody, time.Hour); return err }
	require.NoError(t, take(s))
	require.NoError(t, s.Set(ctx, env, 1, "record", "old"))
	last := fence()
	calls := map[string]func(s *hoststate.State) error{
		"switch":  func(s *hoststate.State) error { return s.Switch(ctx, env, last, "app-2:80") },
		"record":  func(s *hoststate.State) error { return s.Set(ctx, env, last, "record", big) },
		"renew":   func(s *hoststate.State) error { return s.Renew(ctx, env, last, time.Hour) },
		"audit":   func(s *hoststate.State) error { return s.Audit(ctx, env, hoststate.Entry{What: big}) },
		"secret":  func(s *hoststate.State) error { return s.PutSecret(ctx, secrets, "x", os.Getuid(), []byte(big)) },
		"serve":   func(s *hoststate.State) error { return s.Serve(ctx, env, last, big) },
		"unlock":  func(s *hoststate.State) error { _, err := s.Unlock(ctx, env); return err },
		"take":    take,
		"release": func(s *hoststate.State) error { return s.Release(ctx, env, last) },
	}
	killed := 0
	for _, name := range []string{"switch", "record", "renew", "audit", "secret", "serve", "unlock", "take", "release", "take"} {
		for wait := time.Duration(0); wait < 20*time.Millisecond; wait += 5 * time.Millisecond {
			// Each attempt starts with the same state.
			if name != "take" {
				_, err := s.Unlock(ctx, env)
				require.NoError(t, err)
				require.NoError(t, take(s))
			} else {
				_, err := s.Unlock(ctx, env)
				require.NoError(t, err)
			}
			last = fence()
			kill := func(group int) { time.AfterFunc(wait, func() { _ = syscall.Kill(-group, syscall.SIGKILL) }) }
			victim := &hoststate.State{Dir: s.Dir, Runner: hoststatetest.Local{Began: kill}}
			if calls[name](victim) != nil {
				killed++
			}
			seen, err := s.Look(ctx, env)
			require.NoError(t, err, "%s after %s", name, wait)
			require.Contains(t, []string{"none", "app-2:80"}, seen.Up)
			require.Contains(t, []string{"none", "app-2:80"}, seen.Prev)
			require.Contains(t, []string{"old", big}, seen.Values["record"])
			require.GreaterOrEqual(t, seen.Lock.Fence, last)
			if b, err := os.ReadFile(filepath.Join(secrets, "x")); err == nil {
				require.Equal(t, big, string(b))
			}
			_, err = s.AuditLog(ctx, env, 100)
			require.NoError(t, err)
			all, err := s.Services(ctx)
			require.NoError(t, err)
			require.Contains(t, []string{"", big}, all.Of[env])
		}
		switch name {
		case "take", "unlock", "release":
		default:
			require.NoError(t, calls[name](s), "%s works afterwards", name)
		}
	}
	require.Positive(t, killed)
}

// If a client disappears, its call exits after a timeout, and other calls do not wait longer than that.
func TestOrphanedCallEnds(t *testing.T) {
	s := hoststatetest.New(t)
	_, err := s.Take(t.Context(), env, somebody, time.Minute)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.Error(t, s.Renew(ctx, env, 1, time.Minute))
	require.NoError(t, s.Renew(t.Context(), env, 1, time.Minute))
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	return b
}

// tree returns all files in a folder, except lock and probe files.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && d.Name() != ".lock" && d.Name() != ".probe" {
			all[path] = string(read(t, path))
		}
		return err
	}))
	return all
}
