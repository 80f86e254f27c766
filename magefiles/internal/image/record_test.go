package image

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/image/buildx"
	"github.com/foopack/foopack/magefiles/internal/image/imagetest"
	"github.com/foopack/foopack/magefiles/internal/image/proof"
	"github.com/foopack/foopack/magefiles/internal/image/registry"
)

// pushing returns a job that pushes an image of both platforms to a shop, from a clone without records.
func pushing(t *testing.T, s *imagetest.Shop, change func(q *Request)) *Job {
	q := request(t)
	q.Registry, q.SBOM = s.Host+"/someone", ""
	change(&q)
	p, err := New(q)
	require.NoError(t, err)
	return &Job{Plan: p, Registry: &registry.Registry{Shown: imagetest.AtOnce()}, Push: true, Dir: t.TempDir(), Records: t.TempDir(), Result: newResult(p)}
}

// Anyone with push access can push an image with all the labels of a plan, an attestation, and any tag. A clone without a record of the build does
// not reuse it.
func TestHostileImagesAreNotReused(t *testing.T) {
	both := []string{"linux/amd64", "linux/arm64"}
	for name, c := range map[string]struct {
		tags      []string
		platforms []string
		change    func(q *Request)
	}{
		"under the tag of the commit":          {[]string{"sha-abababababab"}, both, same},
		"under every tag of the version":       {[]string{"sha-abababababab", "1.2.3", "1.2", "1", "latest"}, both, same},
		"under a tag that was asked for":       {[]string{"candidate", "sha-abababababab"}, both, func(q *Request) { q.Tags = []string{"candidate"} }},
		"of one platform, for a merge":         {[]string{"sha-abababababab"}, both[1:], func(q *Request) { q.Platforms = both[1:] }},
		"of a build for one platform, by name": {[]string{"mine"}, both[:1], func(q *Request) { q.Platforms, q.Tags = both[:1], []string{"mine"} }},
	} {
		t.Run(name, func(t *testing.T) {
			s := imagetest.NewShop(t)
			j := pushing(t, s, c.change)
			planted := s.Put(t, j.Plan.Repository, j.Plan.Labels, c.platforms...)
			i, err := j.Registry.Read(t.Context(), j.Plan.Repository+"@"+planted)
			require.NoError(t, err)
			require.NoError(t, proof.Verify(i, planted, j.Plan.expect()), "the planted image looks like one of ours")
			for _, tag := range c.tags {
				require.NoError(t, j.Registry.Tag(t.Context(), j.Plan.Repository, planted, tag))
			}
			said, err := j.lookUp(t.Context())
			require.NoError(t, err)
			require.False(t, j.Result.Reused, said)
			require.Empty(t, j.Result.Digest)
			if !j.Plan.Partial {
				require.Equal(t, "has "+planted+" as "+RevisionTag(j.Plan.Revision)+", which is not reused, because this clone did not build it", said)
			}
		})
	}
}

// If a tag was moved to another image after the build, the next run moves it back.
func TestHostileTagsAreMovedBack(t *testing.T) {
	s := imagetest.NewShop(t)
	j := pushing(t, s, same)
	ours, planted := s.Put(t, j.Plan.Repository, j.Plan.Labels, j.Plan.Platforms...), s.Put(t, j.Plan.Repository, j.Plan.Labels, j.Plan.Platforms...)
	require.NotEqual(t, ours, planted)
	j.Result.Digest = ours
	require.NoError(t, j.remember())
	for _, tag := range []string{RevisionTag(j.Plan.Revision), "1.2.3", "latest"} {
		require.NoError(t, j.Registry.Tag(t.Context(), j.Plan.Repository, planted, tag))
	}
	j.Result = newResult(j.Plan)
	said, err := j.lookUp(t.Context())
	require.NoError(t, err)
	require.Equal(t, "has the image: "+ours, said)
	_, err = j.tag(t.Context())
	require.NoError(t, err)
	for _, tag := range []string{RevisionTag(j.Plan.Revision), "1.2.3", "1.2", "1", "latest"} {
		now, err := j.Registry.Digest(t.Context(), j.Plan.Repository+":"+tag)
		require.NoError(t, err)
		require.Equal(t, ours, now, tag)
	}
}

// The earlier image under the commit's tag is compared with the new build, for information.
func TestEarlierImageOfTheTagIsCompared(t *testing.T) {
	s := imagetest.NewShop(t)
	j := pushing(t, s, same)
	ours, planted := s.Put(t, j.Plan.Repository, j.Plan.Labels, j.Plan.Platforms...), s.Put(t, j.Plan.Repository, j.Plan.Labels, j.Plan.Platforms...)
	j.Result.Digest = ours
	for other, want := range map[string]string{
		"":                                  "with labels and attestations",
		ours:                                "with labels and attestations",
		planted:                             "; the earlier image of sha-abababababab, " + planted + ", differs from the image that these sources gave now",
		"sha256:" + strings.Repeat("0", 64): ", differs from the image that these sources gave now",
	} {
		j.other = other
		said, err := j.verify(t.Context())
		require.NoError(t, err)
		require.True(t, strings.HasSuffix(said, want), said)
	}
	j.other = planted
	var err error
	j.index, err = j.Registry.Read(t.Context(), j.Plan.Repository+"@"+planted)
	require.NoError(t, err)
	require.Equal(t, "; the earlier image of sha-abababababab is the same", j.compareWithOther(t.Context()))
}

// A record is valid only for the exact plan. A modified record, or a symbolic link, is ignored.
func TestHostileRecords(t *testing.T) {
	s := imagetest.NewShop(t)
	digest := "sha256:" + strings.Repeat("a", 64)
	made := func(t *testing.T) (*Job, string) {
		j := pushing(t, s, same)
		j.Result.Digest = digest
		require.NoError(t, j.remember())
		require.Equal(t, digest, j.readRecord().Digest)
		files, err := os.ReadDir(j.Records)
		require.NoError(t, err)
		require.Len(t, files, 1)
		return j, filepath.Join(j.Records, files[0].Name())
	}
	for name, spoil := range map[string]func(j *Job, text string) string{
		"no JSON":                  func(*Job, string) string { return "sha256" },
		"nothing":                  func(*Job, string) string { return "" },
		"another repository":       func(_ *Job, text string) string { return strings.Replace(text, "someone/theapp", "someone/other", 1) },
		"another commit":           func(_ *Job, text string) string { return strings.Replace(text, `"revision": "a`, `"revision": "b`, 1) },
		"another plan":             func(j *Job, text string) string { return strings.Replace(text, j.Plan.Labels[labelPlan], digest, 1) },
		"another platform":         func(_ *Job, text string) string { return strings.Replace(text, "linux/arm64", "linux/s390x", 1) },
		"kept":                     func(_ *Job, text string) string { return strings.Replace(text, `"kept": false`, `"kept": true`, 1) },
		"a tag in place of digest": func(_ *Job, text string) string { return strings.Replace(text, digest, "latest", 1) },
		"a place elsewhere":        func(_ *Job, text string) string { return strings.Replace(text, digest, "evil/image@"+digest, 1) },
	} {
		t.Run(name, func(t *testing.T) {
			j, file := made(t)
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			changed := spoil(j, string(text))
			require.NotEqual(t, string(text), changed)
			require.NoError(t, os.WriteFile(file, []byte(changed), 0o644))
			require.Empty(t, j.readRecord().Digest)
		})
	}
	t.Run("a link", func(t *testing.T) {
		j, file := made(t)
		elsewhere := filepath.Join(t.TempDir(), "record")
		require.NoError(t, os.Rename(file, elsewhere))
		require.NoError(t, os.Symlink(elsewhere, file))
		require.Empty(t, j.readRecord().Digest)
	})
	t.Run("of what was not committed", func(t *testing.T) {
		j := pushing(t, s, func(q *Request) { q.Dirty = true })
		j.Result.Digest = digest
		require.NoError(t, j.remember())
		require.Empty(t, j.readRecord().Digest)
		require.NoDirExists(t, filepath.Join(j.Records, "x"))
		files, err := os.ReadDir(j.Records)
		require.NoError(t, err)
		require.Empty(t, files)
	})
}

// An image that is not pushed is stored in the work tree. It is reused only if a record has its digest and all of its files are unchanged. A note
// in its folder proves nothing.
func TestHostileFilesBesideAKeptImage(t *testing.T) {
	s := imagetest.NewShop(t)
	kept := func(t *testing.T) *Job {
		j := pushing(t, s, same)
		j.Push = false
		digest := s.Put(t, j.Plan.Repository, j.Plan.Labels, j.Plan.Platforms...)
		ref, err := name.ParseReference(j.Plan.Repository + "@" + digest)
		require.NoError(t, err)
		index, err := remote.Index(ref)
		require.NoError(t, err)
		at, err := layout.Write(j.layoutDir(), empty.Index)
		require.NoError(t, err)
		require.NoError(t, at.AppendIndex(index))
		j.Result.Digest = digest
		return j
	}
	t.Run("without a record", func(t *testing.T) {
		j := kept(t)
		require.NoError(t, os.WriteFile(filepath.Join(j.Dir, "proved"), []byte(j.Result.Digest), 0o644))
		_, err := j.lookUp(t.Context())
		require.NoError(t, err)
		require.False(t, j.Result.Reused)
	})
	t.Run("as it was built", func(t *testing.T) {
		j := kept(t)
		require.NoError(t, j.remember())
		said, err := j.lookUp(t.Context())
		require.NoError(t, err)
		require.True(t, j.Result.Reused, said)
	})
	for name, spoil := range map[string]func(t *testing.T, blob string){
		"other bytes": func(t *testing.T, blob string) {
			require.NoError(t, os.Chmod(blob, 0o644))
			require.NoError(t, os.WriteFile(blob, []byte("planted"), 0o644))
		},
		"a link to other bytes": func(t *testing.T, blob string) {
			require.NoError(t, os.Remove(blob))
			require.NoError(t, os.Symlink("/proc/self/environ", blob))
		},
		"none": func(t *testing.T, blob string) { require.NoError(t, os.Remove(blob)) },
		"a folder": func(t *testing.T, blob string) {
			require.NoError(t, os.Remove(blob))
			require.NoError(t, os.Mkdir(blob, 0o755))
		},
	} {
		t.Run(name, func(t *testing.T) {
			j := kept(t)
			require.NoError(t, j.remember())
			i, err := registry.ReadLayout(j.layoutDir())
			require.NoError(t, err)
			sum, err := v1.NewHash(i.Images[1].Layers[0])
			require.NoError(t, err)
			spoil(t, filepath.Join(j.layoutDir(), "blobs", sum.Algorithm, sum.Hex))
			_, err = j.lookUp(t.Context())
			require.NoError(t, err)
			require.False(t, j.Result.Reused)
		})
	}
}

// A failed check leaves no record. A passed check does, for pushed images and for local ones.
func TestRecordsOfChecks(t *testing.T) {
	for _, push := range []bool{true, false} {
		for code, want := range map[int]bool{0: true, 1: false} {
			t.Run(fmt.Sprintf("push=%v status=%d", push, code), func(t *testing.T) {
				s := imagetest.NewShop(t)
				j := pushing(t, s, same)
				j.Push, j.Result.Pushed = push, push
				j.Builder = &buildx.Builder{Runner: imagetest.Docker(func(context.Context, command.Cmd) error {
					if code != 0 {
						return &command.ExitError{Name: "docker", Code: code}
					}
					return nil
				})}
				j.node, j.Result.Digest = buildx.Node{Platforms: j.Plan.Platforms}, "sha256:"+strings.Repeat("a", 64)
				j.index = &registry.Index{Images: []registry.Image{{Platform: "linux/amd64"}, {Platform: "linux/arm64"}}}
				_, err := j.smoke(t.Context())
				require.Equal(t, want, err == nil)
				require.Equal(t, want, j.readRecord().Digest != "")
			})
		}
	}
}

// A merged image is recorded too, like an image that was built on one machine.
func TestAMergeIsRecorded(t *testing.T) {
	s := imagetest.NewShop(t)
	j := pushing(t, s, same)
	one, two := s.Put(t, j.Plan.Repository, j.Plan.Labels, "linux/amd64"), s.Put(t, j.Plan.Repository, j.Plan.Labels, "linux/arm64")
	require.NoError(t, j.Merge(t.Context(), []string{one, two}, imagetest.Quiet))
	require.Equal(t, j.Result.Digest, j.readRecord().Digest)
	other := *j
	other.Records = t.TempDir()
	require.Empty(t, other.readRecord().Digest, "another clone has no record of the image")
}
