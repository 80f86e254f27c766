package gitrepo

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// ErrNoRemote is in the chain where a clone has no remote of a name.
var ErrNoRemote = errors.New("no such remote")

// Refs is what a remote has.
type Refs struct {
	Default  string            // its default branch; "" where it names none
	Branches map[string]string // commit by name
	Tags     map[string]string // commit by name
	objects  map[string]string // tag object, or the commit of a light one, by tag name
}

// URL returns the address that a push to a remote goes to, with what a person has git put in its place (insteadOf); the
// first, where there are several. ErrNoRemote is in the chain of the error where there is no such remote.
func (r *Repo) URL(ctx context.Context, remote string) (string, error) {
	all, err := r.addresses(ctx, remote)
	if err != nil {
		return "", err
	}
	return all[0], nil
}

// addresses are all that a push to a remote goes to. What is not the name of a remote is an address itself.
func (r *Repo) addresses(ctx context.Context, remote string) ([]string, error) {
	if strings.HasPrefix(remote, "-") {
		return nil, operr.New("name another one as remote in [tool.release]", "%q cannot be a remote: it begins with a dash, as options do", remote)
	}
	out, err := r.git(ctx, "remote", "get-url", "--push", "--all", "--", remote)
	if err == nil && out != "" {
		return notOptions(remote, strings.Split(out, "\n"))
	}
	names, namesErr := r.git(ctx, "remote")
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case namesErr != nil:
		return nil, failed(namesErr, "asking git for the remotes of %s", r.Top)
	case slices.Contains(strings.Split(names, "\n"), remote):
		return nil, failed(err, "asking git for the address of the remote %s", remote)
	case strings.ContainsAny(remote, ":/"):
		return []string{remote}, nil
	}
	return nil, operr.New("`git remote add "+remote+" URL`, or name another one as remote in [tool.release]", "there is no remote %s%w", remote, silent{error: ErrNoRemote})
}

// notOptions refuses addresses that a program behind git could take for an option, as ssh does for a host.
func notOptions(remote string, addresses []string) ([]string, error) {
	for _, a := range addresses {
		host := a
		if _, behind, ok := strings.Cut(a, "://"); ok {
			host, _, _ = strings.Cut(behind, "/")
		} else if before, _, ok := strings.Cut(a, ":"); ok {
			host = before
		}
		if _, behind, ok := strings.Cut(host, "@"); ok && !strings.HasPrefix(host, "-") {
			host = behind
		}
		if strings.HasPrefix(a, "-") || strings.HasPrefix(host, "-") {
			return nil, operr.New("correct it: `git remote set-url "+remote+" URL`", "the address of the remote %s cannot be %q: what begins with a dash is an option to git, or to ssh", remote, a)
		}
	}
	return addresses, nil
}

// source is what git is to read where a push to a remote goes, and the settings that it needs for that: the remote itself,
// unless pushes go elsewhere (pushurl, pushInsteadOf).
func (r *Repo) source(ctx context.Context, remote string) (from string, settings []string, err error) {
	to, err := r.addresses(ctx, remote)
	if err != nil || to[0] == remote {
		return remote, nil, err
	}
	read, err := r.git(ctx, "remote", "get-url", "--", remote)
	if err != nil {
		return "", nil, failed(err, "asking git for the address of the remote %s", remote)
	}
	if read == to[0] {
		return remote, nil, nil
	}
	if strings.Contains(to[0], "=") { // which would end the key
		return to[0], nil, nil
	}
	return pushes, []string{"url." + to[0] + ".insteadOf=" + pushes}, nil
}

// pushes stands for an address that is the result of what a person has git put in the place of others, and has nothing put
// in its own place.
const pushes = "where-pushes-go:"

// named is what a person reads of what source returned.
func named(from string, settings []string) string {
	if len(settings) == 0 {
		return from
	}
	return strings.TrimSuffix(strings.TrimPrefix(settings[0], "url."), ".insteadOf="+pushes)
}

// Remote asks a remote for its branches and tags: where pushes to it go.
func (r *Repo) Remote(ctx context.Context, remote string) (Refs, error) {
	refs := Refs{Branches: map[string]string{}, Tags: map[string]string{}, objects: map[string]string{}}
	from, settings, err := r.source(ctx, remote)
	if err != nil {
		return refs, err
	}
	out, err := r.talk(ctx, call{args: []string{"ls-remote", "--symref", "--", from, "HEAD", "refs/heads/*", "refs/tags/*"}, settings: settings})
	if err != nil {
		return refs, operr.New("see whether `git ls-remote "+named(from, settings)+"` answers", "asking the remote %s: %w", remote, err)
	}
	for line := range strings.SplitSeq(out, "\n") {
		hash, name, _ := strings.Cut(line, "\t")
		switch {
		case strings.HasPrefix(hash, "ref: ") && name == "HEAD":
			refs.Default = strings.TrimPrefix(hash, "ref: refs/heads/")
		case strings.HasPrefix(name, "refs/heads/"):
			refs.Branches[strings.TrimPrefix(name, "refs/heads/")] = hash
		case strings.HasPrefix(name, "refs/tags/"):
			tag, peeled := strings.CutSuffix(strings.TrimPrefix(name, "refs/tags/"), "^{}")
			refs.Tags[tag] = hash // the peeled one comes behind the object
			if !peeled {
				refs.objects[tag] = hash
			}
		}
	}
	return refs, nil
}

// Fetch brings what the remote has of its branches, and the tags named, here; branches and tags of the clone stay.
func (r *Repo) Fetch(ctx context.Context, remote string, tags ...string) error {
	from, settings, err := r.source(ctx, remote)
	if err != nil {
		return err
	}
	args := []string{
		"fetch", "--quiet", "--no-tags", "--no-prune", "--no-prune-tags", "--no-recurse-submodules", "--no-auto-maintenance", "--no-write-fetch-head",
		"--", from, "+refs/heads/*:refs/remotes/" + remote + "/*",
	}
	for _, t := range tags {
		args = append(args, "refs/tags/"+t+":refs/tags/"+t)
	}
	if _, err := r.talk(ctx, call{args: args, settings: settings}); err != nil {
		return operr.New("run `git fetch "+named(from, settings)+" --tags`", "fetching from %s: %w", remote, err)
	}
	return nil
}

// talk runs git with a remote. What asks has the terminal where there is one, and fails elsewhere. A remote that does not answer has a
// limit. Where it did not answer as it should, and may the next time, the error is a Transient one.
func (r *Repo) talk(ctx context.Context, c call) (string, error) {
	c.asks = true
	quiet, pass, err := r.quiet(ctx)
	if err != nil {
		return "", err
	}
	if r.lends(c) {
		quiet = asking(quiet)
	}
	c.set, c.pass = append(c.set, quiet...), pass
	c.settings = append(c.settings, "http.lowSpeedLimit=1", "http.lowSpeedTime=60")
	out, err := r.limited(ctx, c)
	if err == nil || ctx.Err() != nil || errors.Is(err, errSilent) {
		return out, err
	}
	err, stays := cured(err)
	if !c.own && !stays && passing(err) {
		err = unanswered{error: err}
	}
	return out, err
}

// quiet are the variables by which ssh fails where it would ask; none where a person has set how ssh is run. pass are the names of those
// that the person's credential helpers read.
func (r *Repo) quiet(ctx context.Context) (set, pass []string, err error) {
	out, _, err := r.answer(ctx, "config", "--null", "--get-regexp", "--", `^(core\.(sshcommand|askpass)|credential\.(.*\.)?helper)$`)
	if err != nil {
		return nil, nil, failed(err, "asking git for its settings")
	}
	own := ""
	for kv := range strings.SplitSeq(out, "\x00") {
		key, value, _ := strings.Cut(kv, "\n")
		if key == "core.sshcommand" {
			own = value
		}
		pass = append(pass, readBy(value)...)
	}
	for _, variable := range []string{"GIT_SSH_COMMAND", "GIT_SSH"} {
		if _, ok := command.Getenv(r.environ(nil), variable); ok {
			return nil, pass, nil
		}
	}
	if own != "" {
		return nil, pass, nil
	}
	return []string{"GIT_SSH_COMMAND=ssh -o BatchMode=yes -o ConnectTimeout=20 -o ServerAliveInterval=15"}, pass, nil
}

// variables are those that a line of a shell reads.
var variables = regexp.MustCompile(`\$\{?([A-Za-z_][A-Za-z0-9_]*)`)

// readBy are the variables that a helper is known to read: those that it names, and those of the cloud whose program it is.
func readBy(helper string) (names []string) {
	for _, m := range variables.FindAllStringSubmatch(helper, -1) {
		names = append(names, m[1])
	}
	if strings.Contains(helper, "codecommit") {
		names = append(names, "AWS_*")
	}
	if strings.Contains(helper, "gcloud") {
		names = append(names, "CLOUDSDK_*", "GOOGLE_*")
	}
	return names
}

// unanswered is the error of a remote that did not answer as it should, and may when it is asked again.
type unanswered struct{ error }

func (u unanswered) Unwrap() error { return u.error }

// Transient says whether a remote did not answer as it should, and may when it is asked again.
func Transient(err error) bool {
	var u unanswered
	return errors.As(err, &u) && !errors.Is(err, ErrRejected)
}

// passing looks for what may pass in what git said, which it said in the C locale: it has one exit status for all that goes
// wrong with a remote.
func passing(err error) bool {
	said := strings.ToLower(operr.DetailOf(err))
	for _, sign := range []string{
		"could not read from remote", "unexpected disconnect", "hung up", "early eof", "timed out", "connection re",
		"could not resolve", "temporary failure", "unable to access", "rpc failed", "http 5", "error: 5",
	} {
		if strings.Contains(said, sign) {
			return !strings.Contains(said, "denied") && !strings.Contains(said, "does not appear to be a git repository")
		}
	}
	return false
}

// Contains says whether a commit is one of those that another is made on, or is it. One that is not here is not.
func (r *Repo) Contains(ctx context.Context, commit, ancestor string) (bool, error) {
	if commit == "" || ancestor == "" {
		return false, nil
	}
	_, yes, err := r.answer(ctx, "merge-base", "--is-ancestor", "--", ancestor, commit)
	if err == nil || ctx.Err() != nil {
		return yes, err
	}
	seen, seenErr := r.fed(ctx, commit+"^{commit}\n"+ancestor+"^{commit}\n", "cat-file", "--batch-check")
	if seenErr == nil && strings.Contains(seen, " missing") { // "NAME missing", where an object is "HASH TYPE SIZE"
		return false, nil
	}
	return false, failed(err, "comparing %s with %s", short(commit), short(ancestor))
}

// Ahead is the number of commits that one has and another has not.
func (r *Repo) Ahead(ctx context.Context, commit, of string) (int, error) {
	out, err := r.git(ctx, "rev-list", "--count", "--end-of-options", of+".."+commit, "--")
	if err != nil {
		return 0, failed(err, "comparing %s with %s", commit, of)
	}
	return strconv.Atoi(out)
}

func short(commit string) string { return Head{Commit: commit}.Short() }
