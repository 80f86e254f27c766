package proof

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/image/imagetest"
	"github.com/foopack/foopack/magefiles/internal/image/registry"
)

func TestCredentialsInTexts(t *testing.T) {
	for text, want := range map[string]string{
		"http://user:PROXYSECRET@127.0.0.1:1":                          "a password in an address",
		"RUN git clone https://oauth2:s3cret@git.example/a/b.git":      "a password in an address",
		"socks5h://me:pw@proxy.example":                                "a password in an address",
		"postgres://app:hunter2@db/x":                                  "a password in an address",
		"https://x-access-token:abc@host/x":                            "a password in an address",
		"https://ghp_0123456789abcdefghijklmnopqrstuvwxyz@github.com/": "a token in an address",
		"https://0123456789abcdef0123456789abcdef:@host/simple":        "a token in an address",
		"https://conda.example/t/ab-12345678-90/label/main":            "a token in the address of a channel",
		"x glpat-abcdefghijklmnopqrstuvwx y":                           "a token or a key",
		"-----BEGIN OPENSSH PRIVATE KEY-----":                          "a token or a key",
		"pfx_abcdefghijklmnopqrstuvwxyz":                               "a token or a key",

		"https://me:pa$$w0rd@host/simple":                                 "a password in an address",
		"https://me:Xy7$kQ9z{q@host/simple":                               "a password in an address",
		"https://0123456789abcdef0123:0123456789abcdef0123@host":          "a password in an address",
		"https://me:!!!@host":                                             "a password in an address",
		"https://$USER:hunter2@host/simple":                               "a password in an address",
		"HTTP_PROXY=user:s3cret@proxy:3128":                               "a password in an address",
		`ENV https_proxy "me:s3cret@proxy:3128"`:                          "a password in an address",
		"RUN |1 ALL_PROXY=me:s3cret@proxy /bin/sh -c true":                "a password in an address",
		`curl -H "Authorization: Bearer abcdef0123456789"`:                "a token or a key",
		"authorization: basic bWU6c2VjcmV0MTIzNA==":                       "a token or a key",
		"glcbt-64_abcdefghijklmnopqrst":                                   "a token or a key",
		"gldt-abcdefghijklmnopqrst":                                       "a token or a key",
		"dckr_pat_abcdefghijklmnopqrstuvwxyz0":                            "a token or a key",
		"eyJhbGciOiJSUzI1NiIsIn.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJlLW9mLXRoaXM": "a token or a key",
		"https://conda.example/t/a1b2c3d4e5f6a7b8/main/linux-64":          "a token in the address of a channel",

		"https://discuss.python.org/t/how-to-end-a-container/12345":  "",
		"https://discuss.python.org/t/python-3-12-is-there/12345/7":  "",
		"https://forum.example/t/how-to-end-a-container/":            "",
		"postgresql://postgres:postgres@localhost:5432/db":           "",
		"amqp://guest:guest@rabbitmq":                                "",
		"postgresql://scott:tiger@localhost/test":                    "",
		`printf 'https://x-access-token:%s@github.com' "$(cat /x)"`:  "",
		`f"https://{user}:{token}@host"`:                             "",
		"https://%(user)s:%(password)s@host":                         "",
		"https://${USER:-me}:${TOKEN:?not set}@host":                 "",
		"https://$1:$2@host":                                         "",
		"https://x-access-token:$$TOKEN@host":                        "",
		"https://${{secrets.A_LONG_NAME_OF_A_TOKEN}}@github.com/a/b": "",
		"AKIAIOSFODNN7EXAMPLE":                                       "",
		`-H "Authorization: Bearer $TOKEN_OF_2026_IN_THE_JOB"`:       "",
		"Authorization: Bearer your-token-goes-here":                 "",
		"HTTP_PROXY=http://proxy:3128 NO_PROXY=me@host":              "",
		"http_proxy=$USER:$TOKEN@proxy":                              "",
		"GPG_KEY=E3FF2839C048B25C084DEBE9B26995E310250568":           "",

		"":                                     "",
		"git@github.com:a/b.git":               "",
		"ssh://git@host/a":                     "",
		"https://me@host/a":                    "",
		"docker-image://alpine:3.20@sha256:ab": "",
		"docker-image://r.example:5000/a@sha256:ab":    "",
		"https://xxxxx:xxxxx@host/a":                   "",
		"https://user:***@host":                        "",
		"https://$USER:${TOKEN}@host":                  "",
		"http://user:password@proxy":                   "",
		"https://host/@scope/name@1":                   "",
		"pkg:pypi/requests@2.0?x=https://a.example/@b": "",
		"https://host/t/<TOKEN>/main":                  "",
		"https://host/t/short/main":                    "",
	} {
		require.Equal(t, want, FindCredential(text), text)
	}
}

// A credential is located by its key, at any depth, and in encoded texts too.
func TestLocationOfACredential(t *testing.T) {
	const secret = "http://u:secret@h"
	for text, want := range map[string][2]string{
		`{"a":{"args":{"build-arg:HTTP_PROXY":"` + secret + `"}}}`:                           {"build-arg:HTTP_PROXY", "a password in an address"},
		`{"a":"b","c":[1,{"d":null},"` + secret + `"],"e":true}`:                             {"c", "a password in an address"},
		`{"a":[],"` + secret + `":1}`:                                                        {"", "a password in an address"},
		`{"data":"` + base64.StdEncoding.EncodeToString([]byte("ARG X=1\n# "+secret)) + `"}`: {"data", "a password in an address"},
		`{"build-arg:HTTPS_PROXY":"u:secret@h:3128"}`:                                        {"build-arg:HTTPS_PROXY", "a password in an address"},
		`{"Env":["https_proxy=u:secret@h:3128"]}`:                                            {"Env", "a password in an address"},
		`{"author":"u:secret@h"}`:                                                            {},
		"FROM x\n# " + secret:                                                                {"", "a password in an address"},
		`{"uri":"http:\/\/u:secret@h"}`:                                                      {"uri", "a password in an address"},
		`{"a":{"b":"c"},"d":["e"],"f":{}} `:                                                  {},
		``:                                                                                   {},
	} {
		where, is := locateCredential([]byte(text), nil)
		require.Equal(t, want, [2]string{where, is}, text)
	}
	where, is := locateCredential([]byte(`{"a":"the-token-of-npm-is-long"}`), []string{"NPM_TOKEN=the-token-of-npm-is-long"})
	require.Equal(t, [2]string{"", "the value of the variable NPM_TOKEN in it"}, [2]string{where, is})
}

// push pushes an index to a registry, and reads it back.
func push(t *testing.T, index v1.ImageIndex) *registry.Index {
	t.Helper()
	digest, err := index.Digest()
	require.NoError(t, err)
	at := imagetest.NewShop(t).Host + "/someone/theapp@" + digest.String()
	ref, err := name.ParseReference(at)
	require.NoError(t, err)
	require.NoError(t, remote.WriteIndex(ref, index))
	i, err := (&registry.Registry{}).Read(t.Context(), at)
	require.NoError(t, err)
	return i
}

// Everything that a build publishes apart from its files is searched before a tag moves.
func TestNoSecretIsTagged(t *testing.T) {
	const secret = "http://u:secret@h"
	index := func(c v1.Config, history, predicate, statement string, annotations map[string]string) *registry.Index {
		img, err := mutate.Config(empty.Image, c)
		require.NoError(t, err)
		img, err = mutate.Append(img, mutate.Addendum{Layer: static.NewLayer([]byte("layer"), "application/x"), History: v1.History{CreatedBy: history}})
		require.NoError(t, err)
		attested, err := mutate.Append(empty.Image, mutate.Addendum{Layer: static.NewLayer([]byte(statement), "application/vnd.in-toto+json"), Annotations: map[string]string{"in-toto.io/predicate-type": predicate}})
		require.NoError(t, err)
		all := mutate.AppendManifests(mutate.Annotations(empty.Index, annotations).(v1.ImageIndex),
			mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "arm64"}}},
			mutate.IndexAddendum{Add: attested, Descriptor: v1.Descriptor{Annotations: map[string]string{"vnd.docker.reference.type": "attestation-manifest"}}})
		return push(t, all)
	}
	for want, i := range map[string]*registry.Index{
		"": index(v1.Config{Labels: map[string]string{"a": "b"}, Env: []string{"A=https://me@h"}}, "RUN x", registry.Provenance+"v1", `{"a":"b"}`, nil),
		"the configuration for linux/arm64 of theapp has a password in an address, at a":              index(v1.Config{Labels: map[string]string{"a": secret}}, "", registry.Provenance+"v1", `{}`, nil),
		"the configuration for linux/arm64 of theapp has a password in an address, at Env":            index(v1.Config{Env: []string{"X=" + secret}}, "", registry.Provenance+"v1", `{}`, nil),
		"the configuration for linux/arm64 of theapp has a password in an address, at created_by":     index(v1.Config{}, "RUN curl "+secret, registry.Provenance+"v1", `{}`, nil),
		"the provenance of theapp has a password in an address, at uri":                               index(v1.Config{}, "", registry.Provenance+"v0.2", `{"materials":[{"uri":"`+secret+`"}]}`, nil),
		"the SBOM of theapp has a password in an address, at downloadLocation":                        index(v1.Config{}, "", registry.SBOM, `{"packages":[{"downloadLocation":"`+secret+`"}]}`, nil),
		"the index of theapp has a password in an address, at org.opencontainers.image.source":        index(v1.Config{}, "", registry.SBOM, `{}`, map[string]string{"org.opencontainers.image.source": secret}),
		"the configuration for linux/arm64 of theapp has the value of the variable THEIR_TOKEN in it": index(v1.Config{Labels: map[string]string{"a": "a-token-without-a-form"}}, "", registry.SBOM, `{}`, nil),
	} {
		err := FindCredentials(i, "theapp", false, []string{"THEIR_TOKEN=a-token-without-a-form"})
		if want == "" {
			require.NoError(t, err)
			continue
		}
		require.EqualError(t, err, want)
	}
}

// docker's proxies become build arguments. If they contain a password, the provenance omits the build arguments.
func TestProxiesWithAPassword(t *testing.T) {
	for text, want := range map[string]bool{
		`{}`: false,
		`{"proxies":{"default":{"httpProxy":"http://proxy:3128","noProxy":"localhost"}}}`:            false,
		`{"proxies":{"default":{"httpProxy":"http://u:secret@proxy:3128"}}}`:                         true,
		`{"proxies":{"default":{"httpProxy":"u:secret@proxy:3128"}}}`:                                true,
		`{"proxies":{"default":{"httpProxy":"proxy:3128"}}}`:                                         false,
		`{"proxies":{"tcp://far:2376":{"httpsProxy":"https://u:secret@proxy"}}}`:                     true,
		`{"proxies":{"default":{"allProxy":"socks5://u:secret@proxy"},"x":{"ftpProxy":"http://p"}}}`: true,
	} {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "config.json"), []byte(text), 0o600))
		got, err := HasSecretProxies(dir)
		require.NoError(t, err)
		require.Equal(t, want, got, text)
	}
	got, err := HasSecretProxies(filepath.Join(t.TempDir(), "none"))
	require.NoError(t, err)
	require.False(t, got)
}

// Manifests are as public as their index, and are searched too.
func TestManifestsAreSearched(t *testing.T) {
	for platform, annotations := range map[string]map[string]string{
		"linux/amd64": {"a": "http://u:secret@h"},
		"linux/arm64": {"b": "c", "a": "pfx_abcdefghijklmnopqrstuvwxyz"},
	} {
		system, architecture, _ := strings.Cut(platform, "/")
		i := push(t, mutate.AppendManifests(empty.Index, mutate.IndexAddendum{
			Add:        mutate.Annotations(empty.Image, annotations).(v1.Image),
			Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: system, Architecture: architecture}},
		}))
		err := FindCredentials(i, "theapp", false, nil)
		require.ErrorContains(t, err, "the manifest for "+platform+" of theapp has a ")
		require.ErrorContains(t, err, ", at a")
	}
}
