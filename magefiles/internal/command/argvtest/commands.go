package argvtest

import "regexp"

// form describes how a program is called for one purpose.
type form struct {
	verb    string         // first words
	options []string       // all options that we use; one that ends with "=" has a value
	words   *regexp.Regexp // words before the end of options: ours, or words that cannot begin with a dash

	endOfOptions bool   // the program knows --end-of-options
	rest         string // from this option on, words are for another program
	one          bool   // what follows the first word is for another program
}

// These cannot begin with a dash: an object of git, as git names it; the full name of a ref; a whole path.
const (
	object = `[0-9a-f]{40}(?:[0-9a-f]{24})?(?:\^|\^\{\w+\})?`
	ref    = `refs/.+`
	whole  = `/.*`
)

func only(patterns ...string) *regexp.Regexp {
	all := ""
	for _, p := range patterns {
		all += "|" + p
	}
	return regexp.MustCompile(`^(?:` + all[1:] + `)$`)
}

func options(all ...string) []string { return all }

// commands lists all that the pipeline calls. A command line that has none of these forms fails the tests that run it: add it here, with "--" before
// what comes from outside, "--end-of-options" where "--" means paths, or with --option=VALUE.
var commands = map[string][]form{
	"git": {
		{verb: "cat-file", options: options("--batch-check", "--batch"), words: only("blob", `[0-9a-f]{40,64}:\.github/workflows/.+`), endOfOptions: true},
		{verb: "check-attr", options: options("-z", "--stdin"), words: only("filter")},
		{verb: "check-ignore", options: options("-z", "--verbose", "--stdin")},
		{verb: "checkout", options: options("--quiet", "--force", "--detach"), words: only("HEAD", object)}, // git 2.39 has no end of options here
		{verb: "checkout-index", options: options("-z", "--stdin", "--prefix=")},
		{verb: "clone", options: options("--quiet", "--template=", "--origin=", "--no-checkout", "--config=", "--shared", "--no-local", "--depth=1", "--filter=", "--upload-pack="), words: only(whole)},
		{verb: "commit", options: options("--quiet", "--cleanup=verbatim", "--no-verbose", "--file=-", "--all", "--message=")},
		{verb: "commit-tree", options: options("-S", "-p"), words: only(object)},
		{verb: "config", options: options("--file=", "--includes", "--null", "--list", "--local", "--add", "--replace-all", "--unset-all", "--get", "--get-regexp", "--type=bool"), words: only(`[a-z]+\.[A-Za-z.]+`, `\^.*`, "true", "false", "0", "rehearsal", `rehearsal@example\.invalid`, whole, `\+refs/heads/\*:refs/remotes/.+/\*`)},
		{verb: "diff-files", options: options("--name-only", "-z")},
		{verb: "diff-index", options: options("--cached", "--quiet"), words: only("HEAD", object)},
		{verb: "diff-tree", options: options("-p", "-U0", "--no-textconv", "--no-color", "--diff-algorithm=", "--src-prefix=", "--dst-prefix=", "-r", "-z", "--name-only", "--quiet", "--no-ext-diff", "--stdin", "--always", "--root", "--no-renames", "--no-show-signature", "--diff-merges=first-parent", "--no-commit-id", "--format=", "--encoding=", "--no-notes", "--no-abbrev"), endOfOptions: true},
		{verb: "fetch", options: options("--quiet", "--no-tags", "--no-prune", "--no-prune-tags", "--no-recurse-submodules", "--no-auto-maintenance", "--no-write-fetch-head", "--prune", "--update-shallow", "--depth=", "--filter=blob:none", "--stdin", "--upload-pack=")},
		{verb: "for-each-ref", options: options("--format=", "--merged=HEAD", "--contains=", "--count=1"), words: only(ref)},
		{verb: "init", options: options("--quiet", "--bare", "--template=", "--object-format=", "--initial-branch="), words: only(whole)},
		{verb: "log", options: options("-r", "-z", "--root", "--name-only", "--no-merges", "--date-order", "--no-relative", "--no-decorate", "--no-notes", "--no-renames", "--no-show-signature", "--diff-merges=first-parent", "--encoding=", "--format="), endOfOptions: true},
		{verb: "ls-files", options: options("-t", "-v", "-z", "--stage", "--cached", "--others", "--ignored", "--exclude-standard", "--full-name")},
		{verb: "ls-remote", options: options("--symref", "--quiet")},
		{verb: "ls-tree", options: options("-r", "-z", "--name-only", "--full-tree"), words: only("HEAD", object)},
		{verb: "merge-base", options: options("--is-ancestor"), endOfOptions: true},
		{verb: "push", options: options("--porcelain", "--quiet", "--no-follow-tags", "--no-signed", "--recurse-submodules=no", "--force-with-lease=", "--atomic", "--dry-run", "--no-verify", "--receive-pack=")},
		{verb: "merge-tree", options: options("--write-tree"), words: only(object)},
		{verb: "remote"},
		{verb: "remote get-url", options: options("--push", "--all")},
		{verb: "reset", options: options("--quiet", "--soft", "--merge", "--no-recurse-submodules"), words: only("HEAD", object)}, // as checkout
		{verb: "restore", options: options("--quiet", "--staged", "--worktree", "--pathspec-from-file=-", "--pathspec-file-nul")},
		{verb: "read-tree", options: options("-m", "-u", "--dry-run", "--no-recurse-submodules"), words: only("HEAD", object), endOfOptions: true},
		{verb: "rev-list", options: options("--first-parent", "--skip=", "--max-count=", "--parents", "--reverse", "--no-merges", "--date-order", "--count", "--timestamp", "--objects", "--no-walk", "--missing=print", "--no-commit-header", "--format=", "--not", "--remotes"), words: only("HEAD", object), endOfOptions: true},
		{verb: "rev-parse", options: options("--show-toplevel", "--show-prefix", "--absolute-git-dir", "--git-common-dir", "--git-path", "--path-format=absolute", "--quiet", "--verify", "--is-shallow-repository", "--show-object-format"), words: only("index", "hooks", "HEAD", ref), endOfOptions: true},
		{verb: "revert", options: options("--no-edit", "--abort"), words: only("HEAD", object)}, // it accepts options even after their end
		{verb: "show-ref", options: options("--tags", "--dereference")},
		{verb: "status", options: options("--porcelain", "--porcelain=", "-z", "--no-renames", "--untracked-files=", "--ignore-submodules=none")},
		{verb: "symbolic-ref", options: options("--quiet", "--short"), words: only("HEAD", ref)},
		{verb: "switch", options: options("--quiet", "--force-create=", "--track"), words: only(ref)},
		{verb: "tag", options: options("--annotate", "--force", "--delete", "--cleanup=verbatim", "--file=-")},
		{verb: "update-index", options: options("-q", "--refresh", "-z", "--stdin", "--add", "--remove", "--force-remove", "--assume-unchanged", "--no-assume-unchanged", "--no-skip-worktree", "--index-info")},
		{verb: "update-ref", options: options("--no-deref", "--stdin", "-z", "-d")},
		{verb: "var", words: only(`GIT_\w+`)},
		{verb: "version"},
		{verb: "write-tree"},
	},
	"docker": {
		{verb: "buildx version"},
		{verb: "buildx inspect", options: options("--bootstrap", "--builder=")},
		{verb: "buildx bake", options: options("--file=-", "--metadata-file=", "--progress=plain", "--builder=", "--allow=")},
		{verb: "buildx build", options: options("--file=-", "--platform=", "--progress=plain", "--provenance=false", "--output=", "--builder=", "--build-context=")},
	},
	"uv": {
		{verb: "venv", options: options("--quiet", "--no-config", "--python=")},
		{verb: "pip install", options: options("--quiet", "--python=", "--no-config", "--config-file=", "--constraint=", "--build-constraint=", "--no-deps", "--reinstall", "--refresh", "--editable=", "--offline", "--system-certs")},
	},
	"python": {
		{verb: "-I -m venv", options: options("--without-pip")},
		{verb: "-I -m pip install", options: options("--quiet", "--disable-pip-version-check", "--require-hashes", "--only-binary=:all:", "--no-deps", "--requirement=")},
		{verb: "-I -m pip config list"},
		{verb: "", options: options("-I", "-S", "-E", "-X", "-c", "--version"), words: only(whole, `pycache_prefix=.*`), rest: "-c", one: true},
	},
	"pixi": {
		{verb: "info", options: options("--json")},
		{verb: "install", options: options("--environment=")},
		{verb: "lock", options: options("--check", "--dry-run")},
		{verb: "publish", options: options("--path=", "--target-dir=", "--clean", "--build-dir=")},
		{verb: "run", options: options("--environment="), words: only(`[^-].*`), one: true}, // a task that pixi was asked for, and its own words
		{verb: "task list", options: options("--json")},
	},
	"go": {
		{verb: "version"},
		{verb: "list", options: options("-f"), words: only(`\{\{.*\}\}`, `\./\.\.\.`)},
		{verb: "test", options: options("-timeout="), words: only(`[A-Za-z0-9].*`)}, // import paths, as go itself gives them
		{verb: "tool", options: options("-modfile=", "-pyflakes=", "-shellcheck=", "-tags=", "-l", "-w"), words: only("actionlint", "staticcheck", "gofumpt", `\.github/.*`, `\./\.\.\.`, "magefiles", `\.`)},
		{verb: "vet", options: options("-tags=", "-gcflags="), words: only(`\./\.\.\.`)},
	},
	"gofmt": {{verb: "", options: options("-l", "-w"), words: only("magefiles", `\.`)}},
	"targets": { // ourselves, as a rehearsal calls us
		{verb: "", options: options("-yes", "-json", "-check", "-verify", "-from=", "-digests=", "-to=", "-only=", "-ranges=", "-publish=", "-pr"), words: only("release", "publish", "build:all", "app:upgrade")},
		{verb: "deploy:setup", options: options("-env=", "-yes")},
		{verb: "deploy:to", options: options("-digest=", "-wait=", "-yes"), words: only(`[a-z0-9][a-z0-9_-]*`)}, // an environment, as its table may be called
		{verb: "deliver", options: options("-yes", "-until=")},
		{verb: "docker:image", options: options("-push", "-yes", "-json"), words: only(`[^-].*`)}, // a folder of a downstream
		{verb: "docker:plan", options: options("-json"), words: only(`[^-].*`)},
		{verb: "-l"}, // to read a command line before Mage reads it
		{verb: "-h", words: only(`[A-Za-z_][\w:]*`)},
	},
	"ssh": {{
		verb: "", // a host stands behind "--"
		options: options("-oBatchMode=yes", "-oStrictHostKeyChecking=yes", "-oControlMaster=no", "-oControlPath=none", "-oConnectTimeout=15", "-oServerAliveInterval=5",
			"-oServerAliveCountMax=3", "-oExitOnForwardFailure=no", "-oStreamLocalBindUnlink=yes", "-oStreamLocalBindMask=0177", "-oForwardAgent=no", "-oForwardX11=no",
			"-oPermitLocalCommand=no", "-oRemoteCommand=none", "-oLogLevel=INFO", "-oPort=", "-oLocalForward=", "-oClearAllForwardings=yes", "-N", "-T", "-F", "-G"),
		words: only(whole),
	}},
	"zizmor":     {{verb: "", options: options("--offline", "--pedantic", "--no-progress", "--quiet")}},
	"shellcheck": {{verb: "", options: options("--norc", "--external-sources", "--shell=", "--exclude=", "-"), words: only("-")}},
}
