// Package bare is the git side of an embedded GitHub's pull requests: a bare repository, what is merged there, and what a push to it may not do.
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
	Environ []string // of the git that merges
	Dir     string
}

// Pusher is whose token a push is made by. A real server knows it by the credential, which a folder does not ask for: a push says it by a variable.
type Pusher string

// Those who push. A job may push no workflow files that no branch has, and what it pushes starts nothing.
const (
	Person Pusher = ""    // or another account
	Job    Pusher = "job" // by its own token
)

// PushedBy is the variable that has the Pusher.
const PushedBy = "EMBEDDED_PUSHED_BY"

// Variable is the variable with its value, for an environment.
func (p Pusher) Variable() string { return PushedBy + "=" + string(p) }

// git runs git in the repository, in the name of GitHub. No hook is run, which a job may have put there.
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

// Land implements server.Options.Land: it makes the commit of a merge, a squash or a rebase, and moves the base to it, whatever pushes may do.
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
			tree, err := r.git("", "merge-tree", "--write-tree", made, one) // what both have by now is no change of either
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

// Guard lets pushes be refused as GitHub refuses them: to the branches that take pull requests alone, and, by a job, of what
// has workflow files that no branch has: that would take `workflows: write`. tags is a pattern of tags that nobody may push, as the shell's case has it; "" is none.
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

// CountTags lets the repository keep with each tag how many came by the same push, and who made it, which decides whether GitHub creates an event: before
// the tag is there. then is what a push goes through after that: a script of the shell.
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

// CameWith is how many tags came by the push that brought a tag, 0 where that is not known, and who made it.
func (r Remote) CameWith(tag string) (n int, by Pusher) {
	text, _ := os.ReadFile(filepath.Join(r.Dir, "counted", "refs", "tags", filepath.FromSlash(tag)))
	number, pusher, _ := strings.Cut(strings.TrimSpace(string(text)), " ")
	n, _ = strconv.Atoi(number)
	return n, Pusher(pusher)
}

// workflows refuses what has workflow files that no branch has.
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
