package command

import "slices"

// gitLocal are the variables by which a git that runs us says which repository it is at work on: those of
// `git rev-parse --local-env-vars`, of every version of git that names some (local_repo_env in its environment.c). A git below
// us that inherits them works on that repository, whatever folder it is started in.
//
// Not among them are GIT_CONFIG_COUNT, with its keys and values, and GIT_CONFIG_PARAMETERS: they hold what a person has set
// by `git -c`.
var gitLocal = []string{
	"GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_COMMON_DIR", "GIT_CONFIG", "GIT_DIR", "GIT_GRAFT_FILE", "GIT_IMPLICIT_WORK_TREE",
	"GIT_INDEX_FILE", "GIT_INTERNAL_SUPER_PREFIX", "GIT_NO_LAZY_FETCH", "GIT_NO_REPLACE_OBJECTS", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX",
	"GIT_REFERENCE_BACKEND", "GIT_REPLACE_REF_BASE", "GIT_SHALLOW_FILE", "GIT_WORK_TREE",
}

// gitMore are set by a git that runs us as well, or by one of its options, and are of its own work alone.
var gitMore = []string{
	"GIT_LITERAL_PATHSPECS", "GIT_GLOB_PATHSPECS", "GIT_NOGLOB_PATHSPECS", "GIT_ICASE_PATHSPECS", // what a path means
	"GIT_ATTR_SOURCE",        // where attributes are read, and so what a file looks like
	"GIT_NAMESPACE",          // which refs there are
	"GIT_QUARANTINE_PATH",    // of a receiving git's hook: refs must not be changed
	"GIT_PROTOCOL_FROM_USER", // of `git submodule`: addresses are not to be trusted, folders of this machine neither
	"GIT_REFLOG_ACTION",      // what is written beside each change of a ref
}

// gitAuthor are a person's own, unless a git that runs us has set them for the commit that it is about to make.
var gitAuthor = []string{"GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_AUTHOR_DATE"}

// withoutGit returns env without what a git that runs us, in a hook, an alias or `git rebase --exec`, says to its own
// children. GIT_COMMITTER_* stay: for many a CI they are the only identity.
func withoutGit(env []string) []string {
	names := slices.Concat(gitLocal, gitMore)
	for _, sign := range []string{"GIT_DIR", "GIT_INDEX_FILE", "GIT_PREFIX"} {
		if _, run := Getenv(env, sign); run {
			names = append(names, gitAuthor...)
			break
		}
	}
	return Unset(env, names...)
}
