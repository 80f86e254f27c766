package e2e_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/monorepotest"
)

// bumped commits the next patch version in the clone, like a user who releases step by step.
func (r *releasing) bumped() { r.ok("version:bump", "-to=patch", "-commit", "-yes") }

// pushTag tags HEAD and pushes the tag together with main.
func (r *releasing) pushTag(tag string, flags ...string) {
	git(r.t, r.dir, append(append([]string{"tag"}, flags...), tag)...)
	git(r.t, r.dir, "push", "-q", "--atomic", "origin", "HEAD:main", tag)
}

// configured returns the root manifest that newReleasing writes, with additional lines in [tool.release].
func configured(more string) map[string]string {
	return map[string]string{"pixi.toml": monorepotest.Files(3, "0.1.6")["pixi.toml"] + strings.Replace(qaTask, `publish = "%s"`, "publish = \"here\"\n"+more, 1)}
}

// TestReleaseCommitWithAnyMessage has a release with a pushed tag and no files on the channel yet. Another clone recognizes the release by the
// changes in its commit, whatever the commit message.
func TestReleaseCommitWithAnyMessage(t *testing.T) {
	t.Parallel()
	const tag = "v0.1.7"
	for _, c := range []struct {
		name  string
		files map[string]string
		make  func(r *releasing)
	}{
		{
			name: "by version:bump",
			make: func(r *releasing) {
				r.ok("version:bump", "-to=patch", "-commit", "-tag", "-yes")
				git(r.t, r.dir, "push", "-q", "--atomic", "origin", "main", tag)
			},
		},
		{
			name:  "with configured messages",
			files: configured("commit = \"build: ship {title}\"\ntag-message = \"at last\"\n"),
			make: func(r *releasing) {
				r.ok("version:bump", "-to=patch", "-commit", "-tag", "-yes")
				require.Equal(r.t, "build: ship v0.1.7", git(r.t, r.dir, "log", "-1", "--format=%B"))
				require.Equal(r.t, "at last", git(r.t, r.dir, "for-each-ref", "--format=%(contents)", "refs/tags/"+tag))
				git(r.t, r.dir, "push", "-q", "--atomic", "origin", "main", tag)
			},
		},
		{
			name: "the message was changed since",
			make: func(r *releasing) {
				r.ok("version:bump", "-to=patch", "-commit", "-tag", "-yes")
				git(r.t, r.dir, "push", "-q", "--atomic", "origin", "main", tag)
				in("pixi.toml", `publish = "here"`, "publish = \"here\"\ncommit = \"ship {title}\"")(r.t, r.dir)
				r.commitAll("chore: other messages")
				git(r.t, r.dir, "push", "-q", "origin", "main")
			},
		},
		{
			name: "an amended message",
			make: func(r *releasing) {
				r.bumped()
				git(r.t, r.dir, "commit", "-q", "--amend", "-m", "Version 0.1.7\n\nAll in one.")
				r.pushTag(tag, "-a", "-m", "x")
			},
		},
		{
			name: "a light tag",
			make: func(r *releasing) {
				r.bumped()
				r.pushTag(tag)
			},
		},
		{
			name: "rebased",
			make: func(r *releasing) {
				r.bumped()
				r.somebodyPushes()
				git(r.t, r.dir, "pull", "-q", "--rebase")
				r.pushTag(tag)
			},
		},
		{
			name: "merged",
			make: func(r *releasing) {
				git(r.t, r.dir, "switch", "-q", "-c", "next")
				write(r.t, r.dir, "packages/core/feature.txt", "x")
				r.commitAll("feat: something")
				r.bumped()
				git(r.t, r.dir, "switch", "-q", "main")
				git(r.t, r.dir, "merge", "-q", "--no-ff", "-m", "Merge pull request #12", "next")
				r.pushTag(tag)
			},
		},
		{
			name: "squashed",
			make: func(r *releasing) {
				git(r.t, r.dir, "switch", "-q", "-c", "next")
				write(r.t, r.dir, "packages/core/feature.txt", "x")
				r.commitAll("feat: something")
				r.bumped()
				git(r.t, r.dir, "switch", "-q", "main")
				git(r.t, r.dir, "merge", "-q", "--squash", "next")
				git(r.t, r.dir, "commit", "-q", "-m", "Something new (#12)")
				r.pushTag(tag)
			},
		},
		{
			name: "a hook formats and adds",
			make: func(r *releasing) {
				hook(r.t, r.dir+"/.git/hooks", "pre-commit", "echo '# formatted' >> packages/core/pixi.toml; echo 0.1.7 > BADGE; git add -A")
				r.bumped()
				git(r.t, r.dir, "show", "HEAD:BADGE")
				r.pushTag(tag)
			},
		},
		{
			name: "a hook amends",
			make: func(r *releasing) {
				hook(r.t, r.dir+"/.git/hooks", "post-commit", "test -e BADGE && exit 0; echo 0.1.7 > BADGE; git add BADGE; git commit -q --amend -m amended")
				r.bumped()
				require.Equal(r.t, "amended", git(r.t, r.dir, "log", "-1", "--format=%s"))
				r.pushTag(tag)
			},
		},
		{
			name: "a commit on top that fixes a test",
			make: func(r *releasing) {
				r.bumped()
				write(r.t, r.dir, "packages/core/test.txt", "x")
				r.commitAll("test: mend it")
				r.pushTag(tag)
			},
		},
		{
			name: "by hand",
			make: func(r *releasing) {
				for _, file := range []string{"packages/core/pixi.toml", "packages/core/pyproject.toml", "packages/p0001/pixi.toml", "packages/p0001/pyproject.toml", "packages/p0002/pixi.toml", "packages/p0002/pyproject.toml", "pixi.toml"} {
					text := readFile(r.t, r.dir, file)
					write(r.t, r.dir, file, strings.ReplaceAll(text, "0.1.6", "0.1.7"))
				}
				for _, file := range []string{"core/src/mono_core", "p0001/src/mono_p0001", "p0002/src/mono_p0002"} {
					file = filepath.Join("packages", file, "__init__.py")
					text := readFile(r.t, r.dir, file)
					write(r.t, r.dir, file, strings.ReplaceAll(text, "0.1.6", "0.1.7"))
				}
				r.ok("version:show")
				r.commitAll("it is 0.1.7 now")
				r.pushTag(tag)
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newReleasing(t, releaseOptions{by: "here", files: c.files})
			c.make(r)
			r.dir = r.newClone()
			require.Contains(t, r.ok("status"), "v0.1.7 is tagged on the remote but not complete")
			require.Contains(t, r.refused(3, "the release of v0.1.7 is unfinished", "release", "-to=minor", "-yes"), "nothing was changed")
			require.Contains(t, r.ok("release", "-yes"), "v0.1.7 is released")
			require.Len(t, r.onChannel(), 3)
			require.Contains(t, r.ok("release", "-to=patch", "-yes"), "v0.1.8 is released")
		})
	}
}

// TestTagsOfNoRelease has tags on the remote that were not made by a release and have no files on the channel. The next release succeeds.
func TestTagsOfNoRelease(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		make     func(r *releasing)
		released string
	}{
		{name: "it is older than everything", released: "v0.1.7", make: func(*releasing) {}},
		{
			name:     "a feature carries it",
			released: "v0.1.7",
			make: func(r *releasing) {
				write(r.t, r.dir, "packages/core/feature.txt", "x")
				r.commitAll("chore(release): v0.1.6")
				git(r.t, r.dir, "push", "-q", "origin", ":v0.1.6")
				git(r.t, r.dir, "tag", "-d", "v0.1.6")
				r.pushTag("v0.1.6", "-a", "-m", "v0.1.6")
			},
		},
		{
			name:     "the earlier versions were released to another channel",
			released: "v0.1.9",
			make: func(r *releasing) {
				for _, tag := range []string{"v0.1.7", "v0.1.8"} {
					r.bumped()
					r.pushTag(tag, "-a", "-m", tag)
				}
			},
		},
		{
			name:     "the commit has the tag of another version",
			released: "v0.1.8",
			make: func(r *releasing) {
				git(r.t, r.dir, "tag", "v0.1.7")
				git(r.t, r.dir, "push", "-q", "origin", "v0.1.7")
				git(r.t, r.dir, "tag", "-d", "v0.1.7")
				r.bumped()
				git(r.t, r.dir, "push", "-q", "origin", "main")
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newReleasing(t, releaseOptions{by: "here"})
			c.make(r)
			r.dir = r.newClone()
			require.Contains(t, r.ok("status"), "no release was begun in this clone, and ")
			r.refused(2, "no release is unfinished", "release", "-yes")
			require.Contains(t, r.ok("release", "-to=patch", "-yes"), c.released+" is released")
		})
	}
}

// TestPackageAddedAfterARelease adds a package after a release that did not include it.
func TestPackageAddedAfterARelease(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{by: "here"})
	r.ok("release", "-to=patch", "-yes")
	for name, text := range monorepotest.Files(4, "0.1.7") {
		if strings.HasPrefix(name, "packages/p0003/") || name == "pixi.toml" {
			if name == "pixi.toml" {
				text += strings.Replace(qaTask, "%s", "here", 1)
			}
			write(t, r.dir, name, text)
		}
	}
	r.commitAll("feat: another package")
	git(t, r.dir, "push", "-q", "origin", "main")
	r.dir = r.newClone()
	require.Contains(t, r.ok("status"), "v0.1.7: released")
	require.Contains(t, r.ok("release", "-to=minor", "-yes"), "v0.2.0 is released")
}

// TestPackagesApart releases packages with independent versions, one after the other, from clones without a record of each other's releases.
func TestPackagesApart(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{by: "here", files: configured("versioning = \"independent\"\n")})
	require.Contains(t, r.ok("release", "-to=patch", "-only=mono-p0002", "-yes"), "mono-p0002/v0.1.7 is released")
	require.Equal(t, "chore(release): mono-p0002 0.1.7", git(t, r.dir, "log", "-1", "--format=%s"))
	r.dir = r.newClone()
	require.Contains(t, r.ok("release", "-to=0.1.7", "-only=mono-p0002", "-yes"), "mono-p0002/v0.1.7 is released")
	require.Contains(t, r.ok("status"), "mono-p0002/v0.1.7: released")
	r.refuseUploads("mono-p0001")
	_, status := r.mage("release", "-to=0.1.7", "-only=mono-p0001", "-yes")
	require.Equal(t, 1, status)
	r.dir = r.newClone()
	require.Contains(t, r.ok("status"), "mono-p0001/v0.1.7 is tagged on the remote but not complete")
	r.refused(3, "the release of mono-p0001/v0.1.7 is unfinished", "release", "-to=patch", "-only=mono-p0002", "-yes")
	r.refuseUploads("")
	require.Contains(t, r.ok("release", "-yes"), "mono-p0001/v0.1.7 is released")
	require.Contains(t, r.ok("release", "-to=patch", "-only=mono-core", "-yes"), "is released")
}
