package e2e_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// deployJob returns the command line of a job in deploy.yml, with its variables expanded as a shell would.
func deployJob(t *testing.T, environment string, variables map[string]string) (args []string) {
	t.Helper()
	var w struct {
		Jobs map[string]struct {
			Steps []struct{ Run string }
		}
	}
	require.NoError(t, yaml.Unmarshal([]byte(readFile(t, filepath.Join(repo, ".github", "workflows", "deploy.yml"))), &w))
	for _, s := range w.Jobs[environment].Steps {
		if line, ours := strings.CutPrefix(s.Run, "go tool mage "); ours {
			for _, arg := range strings.Fields(line) {
				args = append(args, os.Expand(strings.ReplaceAll(arg, `"`, ""), func(name string) string { return variables[name] }))
			}
		}
	}
	require.NotEmpty(t, args)
	return args
}

// A job of deploy.yml deploys with only the key and the known hosts of its environment. The job is canceled as GitHub cancels jobs, with SIGTERM and
// a little later SIGKILL. The next run, in a clone without a record of this job, waits for the lock's lease to expire and then continues.
func TestCanceledJobOfDeployYml(t *testing.T) {
	t.Parallel()
	w := startDeploying(t, 1, 18185)
	one, two := w.push("1111", false), w.push("2222", false)
	manifest := readFile(t, filepath.Join(w.root, "app", "pixi.toml"))
	config := regexp.MustCompile(`ssh_config = "(.*)"`).FindStringSubmatch(manifest)[1]
	dir := filepath.Dir(config)
	key, known := readFile(t, filepath.Join(dir, "vm1")), readFile(t, filepath.Join(dir, "known_hosts"))
	text := regexp.MustCompile(`(?m)^\s*(IdentityFile|UserKnownHostsFile) .*\n`).ReplaceAllString(readFile(t, config), "")
	require.NoError(t, os.WriteFile(config, []byte(text), 0o600))
	require.NoError(t, os.Remove(filepath.Join(dir, "vm1")))

	out, state := w.mage("deploy:status")
	require.Contains(t, out, "the host key of vm1 is not in known_hosts", state)
	temporary := t.TempDir()
	w.env = append(w.env, "GITHUB_ACTIONS=true", "CI=true", "TMPDIR="+temporary, "DEPLOY_SSH_PRIVATE_KEY="+strings.TrimSpace(key), "DEPLOY_KNOWN_HOSTS="+known)
	job := func(run int, digest string) []string {
		w.env = append(w.env, fmt.Sprintf("GITHUB_RUN_ID=%d", run))
		return deployJob(t, "staging", map[string]string{"DIGEST": digest, "TAG": ""})
	}
	w.must("deploy:setup", "-env=staging", "-yes")
	began := w.requests.Load()
	said := w.must(job(1, one)...)
	whole := w.requests.Load() - began
	require.Equal(t, []string{"1111"}, w.runs())

	x := exec.Command(filepath.Join(compiled, "targets"), job(2, two)...)
	x.Dir, x.Env = w.root, w.env
	x.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var cancelled bytes.Buffer
	x.Stdout, x.Stderr = &cancelled, &cancelled
	at := w.requests.Load() + whole*2/3
	require.NoError(t, x.Start())
	ended := make(chan struct{})
	go func() { _ = x.Wait(); close(ended) }()
	require.Eventually(t, func() bool { return w.requests.Load() >= at }, time.Minute, time.Millisecond)
	require.NoError(t, syscall.Kill(-x.Process.Pid, syscall.SIGTERM))
	select {
	case <-ended:
	case <-time.After(2 * time.Second):
		_ = syscall.Kill(-x.Process.Pid, syscall.SIGKILL)
		<-ended
	}
	require.False(t, x.ProcessState.Success(), cancelled.String())
	require.Contains(t, []string{"1111", "2222"}, w.runs()[0], "the application answers all the time")

	first := w.root
	w.root = filepath.Join(t.TempDir(), "repo")
	git(t, first, "clone", "-q", first, w.root)
	said += cancelled.String() + w.must(job(3, two)...)
	require.Equal(t, []string{"2222"}, w.runs(), said)
	require.NotContains(t, w.must("deploy:status", "-json"), `"holder"`, "the lock was released")
	require.Contains(t, w.must("deploy:status"), "in run 3")

	secret := strings.Split(strings.TrimSpace(key), "\n")[1]
	require.NotContains(t, said, secret)
	left, err := exec.Command("grep", "-rlF", "--", secret, w.root, first, temporary).CombinedOutput()
	require.Error(t, err, "the key is in %s", left)
}
