package rehearsal

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/github/server"
	"github.com/foopack/foopack/magefiles/internal/release"
)

// ci looks for tags that were pushed beside those that it has seen, and runs the workflow for each, as its trigger says: v*, <package>/v*.
func (w *World) ci(ctx context.Context, seen map[string]bool) {
	for ctx.Err() == nil {
		for tag := range w.tags() {
			if !seen[tag] {
				seen[tag] = true
				w.workflow(ctx, tag)
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// tags are those that were pushed: git keeps each in a file of its own.
func (w *World) tags() map[string]bool {
	found := map[string]bool{}
	root := filepath.Join(w.Remote, "refs", "tags")
	_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !strings.HasSuffix(path, ".lock") {
			name, _ := filepath.Rel(root, path)
			found[filepath.ToSlash(name)] = true
		}
		return nil
	})
	return found
}

// workflow is one run for a tag, and what comes of it when somebody runs it again.
func (w *World) workflow(ctx context.Context, tag string) {
	at, ok := w.tag(tag)
	if !ok {
		return
	}
	id, err := w.Hub.AddRun(server.Run{Workflow: release.Workflow, Name: "release", Event: "push", Ref: tag, Commit: at.Commit})
	if err != nil {
		return
	}
	for attempt := 1; ; attempt++ {
		job := w.job(ctx, tag, at.Commit, id, attempt)
		w.mu.Lock()
		w.ran = append(w.ran, job)
		w.mu.Unlock()
		conclusion := "failure"
		if job.OK {
			conclusion = "success"
		}
		if ctx.Err() != nil || w.Hub.FinishRun(id, conclusion) != nil || job.OK || attempt > w.Reruns {
			return
		}
		time.Sleep(200 * time.Millisecond) // somebody sees it, and
		if w.Hub.RerunRun(id) != nil {
			return
		}
	}
}

// job publishes from a fresh clone of the tag, and keeps what was recorded with the run.
func (w *World) job(ctx context.Context, tag, commit string, id int64, attempt int) Job {
	dir := filepath.Join(w.Dir, "ci", strings.ReplaceAll(tag, "/", "-")+"."+strconv.Itoa(attempt))
	var said bytes.Buffer
	run := func(env []string, dir, name string, args ...string) bool {
		return w.Runner.Run(ctx, command.Cmd{Name: name, Args: args, Dir: dir, Env: env, Stdout: &said, Stderr: &said, Gentle: true}) == nil
	}
	ok := run(w.quietGit(), w.Dir, "git", "clone", "--quiet", w.Remote, dir) &&
		run(w.quietGit(), dir, "git", "-c", "advice.detachedHead=false", "checkout", "--quiet", "--detach", commit) &&
		w.Source.Fill(ctx, dir) == nil // as a workflow does that asks for submodules
	root := filepath.Join(dir, filepath.FromSlash(w.Source.Prefix))
	ok = ok && run(w.jobEnviron(tag), root, w.Program, "publish", "-yes")
	if ok {
		data, err := os.ReadFile(filepath.Join(root, "output", release.RecordingFile))
		ok = err == nil && w.Hub.AddArtifact(id, release.Recording, map[string][]byte{release.RecordingFile: data}) == nil
	}
	_ = os.RemoveAll(dir) // a runner is thrown away
	text := said.String()
	return Job{Tag: tag, Attempt: attempt, OK: ok, Log: text[max(0, len(text)-8<<10):]}
}
