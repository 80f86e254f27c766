// Package bare implements the git side of an embedded GitHub: a bare repository, merges of pull requests, and rules for pushes.
package bare

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/github/server"
)

// Remote is a bare repository.
type Remote struct {
	Runner  command.Runner
	Environ []string // environment of the git commands that merge
	Dir     string
}

// Pusher identifies who owns the token of a push. A local repository requires no credential, so pushes set an environment variable.
type Pusher string

// A Pusher is a person or a job. A job may only push workflow files that some branch already has, and its pushes trigger no runs.
const (
	Person Pusher = ""    // or another account
	Job    Pusher = "job" // a job, with its own token
)

// PushedBy is the variable that holds the Pusher.
const PushedBy = "EMBEDDED_PUSHED_BY"

// Variable returns the environment variable that identifies the pusher.
func (p Pusher) Variable() string { return PushedBy + "=" + string(p) }

// git runs git in the repository as GitHub. Hooks are disabled, because a job may have installed one.
func (r Remote) git(stdin string, args ...string) (string, error) {
	var out, said strings.Builder
	err := r.Runner.Run(context.Background(), command.Cmd{
		Name:   "git",
		Args:   append([]string{"--git-dir=" + r.Dir, "-c", "core.hooksPath=" + os.DevNull}, args...),
		Dir:    r.Dir,
		Env:    command.Setenv(r.Environ, "GIT_COMMITTER_NAME=GitHub", "GIT_COMMITTER_EMAIL=noreply@github.com", "GIT_AUTHOR_NAME=GitHub", "GIT_AUTHOR_EMAIL=noreply@github.com"),
		Stdin:  strings.NewReader(stdin),
		Stdout: &out,
		Stderr: &said,
	})
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", strings.Join(args, " "), err, said.String())
	}
	return strings.TrimSpace(out.String()), nil
}

// Branch implements server.Options.Branch.
func (r Remote) Branch(name string) (commit string, ok bool) {
	out, err := r.git("", "for-each-ref", "--format=%(objectname)", "refs/heads/"+name)
	return out, err == nil && out != ""
}

// Land implements server.Options.Land. It creates the commit of a merge, squash or rebase, and moves the base to it, regardless of the rules for
// pushes.
func (r Remote) Land(l server.Landing) (string, error) {
	base, ok := r.Branch(l.Base)
	if !ok {
		return "", fmt.Errorf("there is no branch %s", l.Base)
	}
	made := base
	switch l.Method {
	case "rebase":
		list, err := r.git("", "rev-list", "--reverse", "--no-merges", "--end-of-options", base+".."+l.Head, "--")
		if err != nil {
			return "", err
		}
		for _, one := range strings.Fields(list) {
			tree, err := r.git("", "merge-tree", "--write-tree", made, one) // a change that is already on both sides is ignored
			if err != nil {
				return "", fmt.Errorf("%w: %w", server.ErrConflict, err)
			}
			message, err := r.git("", "rev-list", "--no-commit-header", "--max-count=1", "--format=%B", "--end-of-options", one, "--")
			if err != nil {
				return "", err
			}
			if made, err = r.git(message+"\n", "commit-tree", tree, "-p", made); err != nil {
				return "", err
			}
		}
	default:
		tree, err := r.git("", "merge-tree", "--write-tree", base, l.Head)
		if err != nil {
			return "", fmt.Errorf("%w: %w", server.ErrConflict, err)
		}
		args := []string{"commit-tree", tree, "-p", base}
		if l.Method == "merge" {
			args = append(args, "-p", l.Head)
		}
		if made, err = r.git(l.Message, args...); err != nil {
			return "", err
		}
	}
	_, err := r.git("update refs/heads/"+l.Base+"\x00"+made+"\x00"+base+"\x00", "update-ref", "--stdin", "-z")
	return made, err
}

// Guard makes the repository reject pushes as GitHub does: to branches that only accept pull requests, and from a job if no branch has the same
// workflow files, because that needs `workflows: write`. tags is a pattern of protected tags, as in a shell's case; "" means none.
func (r Remote) Guard(tags string, branches ...string) error {
	var closed strings.Builder
	for _, b := range branches {
		closed.WriteString("refs/heads/" + b + ") echo 'GH013: Repository rule violations found for refs/heads/" + b + "' >&2; echo 'Changes must be made through a pull request.' >&2; exit 1;;\n")
	}
	if tags != "" {
		closed.WriteString("refs/tags/" + tags + ") echo \"GH013: Repository rule violations found for $1\" >&2; echo 'Cannot create ref due to creations being restricted.' >&2; exit 1;;\n")
	}
	hook := "#!/bin/sh\ncase \"$1\" in\n" + closed.String() + "esac\n" + workflows
	dir := filepath.Join(r.Dir, "hooks")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "update"), []byte(hook), 0o755)
}

// CountTags makes the repository record how many tags were pushed together with each tag, and who pushed, because this determines whether GitHub
// creates an event. This is recorded before the tag exists. `then` is a shell script that runs afterwards, as part of the push.
func (r Remote) CountTags(then string) error {
	dir := filepath.Join(r.Dir, "hooks")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "pre-receive"), []byte("#!/bin/sh\n"+tagCounter+then), 0o755)
}

const tagCounter = `all=$(cat)
n=$(printf '%s\n' "$all" | grep -c ' refs/tags/')
printf '%s\n' "$all" | while read -r old new ref; do
	case $ref in
	refs/tags/*) mkdir -p "counted/${ref%/*}" && echo "$n $` + PushedBy + `" >"counted/$ref" ;;
	esac
done
`

// CameWith returns how many tags were pushed together with a tag, or 0 if that is unknown, and who pushed.
func (r Remote) CameWith(tag string) (n int, by Pusher) {
	text, _ := os.ReadFile(filepath.Join(r.Dir, "counted", "refs", "tags", filepath.FromSlash(tag)))
	number, pusher, _ := strings.Cut(strings.TrimSpace(string(text)), " ")
	n, _ = strconv.Atoi(number)
	return n, Pusher(pusher)
}

// workflows rejects a push with workflow files that no branch has.
const workflows = `[ -n "$` + PushedBy + `" ] || exit 0
case "$3" in *[!0]*) ;; *) exit 0;; esac
files() { git ls-tree -r "$1" -- .github/workflows; }
new=$(files "$3")
for at in $(git for-each-ref --format='%(objectname)' refs/heads); do
	[ "$(files "$at")" = "$new" ] && exit 0
done
[ -z "$new" ] && exit 0
echo 'refusing to allow a GitHub App to create or update workflow ` + "`.github/workflows/`" + ` without ` + "`workflows`" + ` permission' >&2
exit 1
`
