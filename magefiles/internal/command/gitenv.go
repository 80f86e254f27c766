package command

import "slices"

// gitLocal lists the variables with which git tells its children which repository it works on. It is the union of `git rev-parse --local-env-vars`
// over all versions of git (local_repo_env in its environment.c). A child git that inherits them works on that repository, whatever its working
// directory is.
//
// GIT_CONFIG_COUNT, with its keys and values, and GIT_CONFIG_PARAMETERS are not in the list, because they hold the user's settings from `git -c`.
var gitLocal = []string{
	"GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_COMMON_DIR", "GIT_CONFIG", "GIT_DIR", "GIT_GRAFT_FILE", "GIT_IMPLICIT_WORK_TREE",
	"GIT_INDEX_FILE", "GIT_INTERNAL_SUPER_PREFIX", "GIT_NO_LAZY_FETCH", "GIT_NO_REPLACE_OBJECTS", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX",
	"GIT_REFERENCE_BACKEND", "GIT_REPLACE_REF_BASE", "GIT_SHALLOW_FILE", "GIT_WORK_TREE",
}

// gitMore lists further variables that a parent git, or one of its options, sets only for itself.
var gitMore = []string{
	"GIT_LITERAL_PATHSPECS", "GIT_GLOB_PATHSPECS", "GIT_NOGLOB_PATHSPECS", "GIT_ICASE_PATHSPECS", // what a path means
	"GIT_ATTR_SOURCE",        // source of attributes, which affect how files are read
	"GIT_NAMESPACE",          // selects the refs that git sees
	"GIT_QUARANTINE_PATH",    // in a receiving git's hook: refs must not be changed
	"GIT_PROTOCOL_FROM_USER", // set by `git submodule`: neither addresses nor folders of this machine may be trusted
	"GIT_REFLOG_ACTION",      // the text of each change of a ref in the reflog
}

// gitAuthor lists variables that the user sets, and that git also sets for the commit that it is making.
var gitAuthor = []string{"GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_AUTHOR_DATE"}

// withoutGit returns env without the variables that a parent git sets when it runs us in a hook, an alias or `git rebase --exec`. It keeps
// GIT_COMMITTER_*, because in many CIs they are the only identity.
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
