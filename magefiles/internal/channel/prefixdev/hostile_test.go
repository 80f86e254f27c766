package prefixdev_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
	"github.com/vmihailenco/msgpack/v5"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/channel/prefixdev"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/hostiletest"
)

// `most` limits the memory that a response may use, in bytes. The index of our own channel is at most 64 MiB uncompressed.
const most = 128 << 20

func squeeze(data []byte) []byte {
	e, err := zstd.NewWriter(nil)
	if err != nil {
		panic(err)
	}
	return e.EncodeAll(data, nil)
}

// bomb returns compressed zeros. It does not allocate the uncompressed size.
func bomb(size int64) []byte {
	var b bytes.Buffer
	e, err := zstd.NewWriter(&b, zstd.WithEncoderLevel(zstd.SpeedBestCompression))
	if err != nil {
		panic(err)
	}
	for piece := make([]byte, 1<<20); size > 0; size -= 1 << 20 {
		_, _ = e.Write(piece)
	}
	_ = e.Close()
	return b.Bytes()
}

// packed returns a value as compressed MessagePack.
func packed(v any) []byte {
	data, err := msgpack.Marshal(v)
	if err != nil {
		panic(err)
	}
	return squeeze(data)
}

const goodSum = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// listed returns a repodata.json with one record of package a. The given fields override the default ones.
func listed(file string, fields string) string {
	return fmt.Sprintf(`{"info":{},"packages":{},"packages.conda":{%q:{%s"subdir":"noarch"}}}`, file, fields)
}

// hostile returns a channel whose server is h.
func hostile(t *testing.T, h http.HandlerFunc) *prefixdev.Channel {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	c, err := prefixdev.New(prefixdev.Options{Server: s.URL, Patience: 500 * time.Millisecond, Attempts: 2, Wait: (&waits{}).wait})
	require.NoError(t, err)
	remote, err := c.Channel("demo")
	require.NoError(t, err)
	return remote
}

// An invalid value in any field of a record is reported, and the record is not used.
func TestHostileRecords(t *testing.T) {
	const a = `"name":"a","version":"1","build":"0",`
	for name, index := range map[string]string{
		"a path for a name":          listed("a-1-0.conda", `"name":"../../a","version":"1","build":"0",`),
		"a path for a build":         listed("a-1-0.conda", `"name":"a","version":"1","build":"../../0",`),
		"a path for a version":       listed("a-1-0.conda", `"name":"a","version":"1/../..","build":"0",`),
		"another name":               listed("a-1-0.conda", `"name":"b","version":"1","build":"0",`),
		"another version":            listed("a-1-0.conda", `"name":"a","version":"2","build":"0",`),
		"a negative size":            listed("a-1-0.conda", a+`"size":-1,`),
		"a huge size":                listed("a-1-0.conda", a+`"size":1e400,`),
		"a size with a fraction":     listed("a-1-0.conda", a+`"size":1.5,`),
		"a size that is a text":      listed("a-1-0.conda", a+`"size":"1",`),
		"a negative build number":    listed("a-1-0.conda", a+`"build_number":-7,`),
		"a huge build number":        listed("a-1-0.conda", a+`"build_number":99999999999999999999,`),
		"a digest of another length": listed("a-1-0.conda", a+`"sha256":"00",`),
		"a path for a digest":        listed("a-1-0.conda", a+`"sha256":"../../../../etc/passwd",`),
		"a digest that is a list":    listed("a-1-0.conda", a+`"sha256":[1],`),
		"a path for a subdir":        strings.Replace(listed("a-1-0.conda", a), `"subdir":"noarch"`, `"subdir":"../noarch"`, 1),
		"dependencies of numbers":    listed("a-1-0.conda", a+`"depends":[1,2],`),
		"escapes in a dependency":    listed("a-1-0.conda", a+`"depends":["b\u001b]0;x\u0007"],`),
		"escapes in a license":       listed("a-1-0.conda", a+`"license":"MIT\r\n::error::x",`),
		"escapes in a name":          listed("a-1-0.conda", `"name":"a\u001b[2J","version":"1","build":"0",`),
		"no number":                  listed("a-1-0.conda", a+`"timestamp":NaN,`),
		"deep values":                listed("a-1-0.conda", a+`"x":`+strings.Repeat("[", 20000)+strings.Repeat("]", 20000)+`,`),
		"a key twice":                listed("a-1-0.conda", a+`"name":"b",`),
		"a million dependencies":     listed("a-1-0.conda", a+`"depends":[""`+strings.Repeat(`,""`, 300_000)+`],`),
		"a record that is a list":    `{"packages.conda":{"a-1-0.conda":[]}}`,
		"records that are a list":    `{"packages.conda":[]}`,
		"an index that is a text":    `"packages"`,
		"a page":                     "<html>\x1b[31mnot found",
		"nothing":                    "",
		"half of an index":           `{"packages.conda":{"a-1-0.conda":{"name":`,
	} {
		t.Run(name, func(t *testing.T) {
			c := hostile(t, func(w http.ResponseWriter, r *http.Request) {
				if !strings.HasSuffix(r.URL.Path, "/repodata.json") {
					http.NotFound(w, r)
					return
				}
				_, _ = io.WriteString(w, index)
			})
			hostiletest.Cost(t, most, func() {
				records, err := c.Records(t.Context(), "noarch", "a")
				require.Empty(t, records)
				hostiletest.Sentence(t, err)
				_, err = c.Records(t.Context(), "noarch", "other")
				if strings.HasPrefix(index, `{"info"`) && name != "no number" && name != "deep values" {
					require.NoError(t, err, "records that nobody asks for do no harm")
				}
			})
			c.OfOthers()
			records, err := c.Records(t.Context(), "noarch", "a")
			if err == nil {
				require.Empty(t, records, "invalid records of a channel of many people are left out")
			}
		})
	}
	good := hostile(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, listed("a-1-0.conda", a+`"size":7,"sha256":"`+goodSum+`","depends":["b >=1"],`))
	})
	_, err := good.Records(t.Context(), "noarch")
	require.Error(t, err, "the index is not zstd")
	for _, f := range good.Forms(t.Context(), "noarch", "a") {
		if f.Name == "repodata.json" {
			require.NoError(t, f.Err)
			require.Len(t, f.Records, 1, "the unchanged index is valid")
		}
	}
}

// Like TestHostileRecords, but with shards: MessagePack can encode values that JSON cannot.
func TestHostileShards(t *testing.T) {
	record := func(change map[string]any) map[string]any {
		r := map[string]any{"name": "a", "version": "1", "build": "0", "subdir": "noarch", "size": 7}
		for key, v := range change {
			r[key] = v
		}
		return map[string]any{"packages": map[string]any{}, "packages.conda": map[string]any{"a-1-0.conda": r}, "removed": []any{}}
	}
	raw := func(text string) []byte { return squeeze([]byte(text)) }
	deep := "\x81\xaepackages.conda\x81\xaba-1-0.conda\x81\xa1x"
	for name, shard := range map[string][]byte{
		"another package":            packed(record(map[string]any{"name": "b"})),
		"a path for a build":         packed(record(map[string]any{"build": "../0"})),
		"a negative size":            packed(record(map[string]any{"size": -1})),
		"no number":                  packed(record(map[string]any{"timestamp": math.NaN()})),
		"no end":                     packed(record(map[string]any{"x": math.Inf(1)})),
		"bytes for a name":           packed(record(map[string]any{"name": []byte("a")})),
		"a time":                     packed(record(map[string]any{"x": time.Unix(1, 1)})),
		"a digest of four bytes":     packed(record(map[string]any{"sha256": []byte("abcd")})),
		"four billion records":       raw("\x81\xaepackages.conda\xdf\xff\xff\xff\xff"),
		"a list of four billion":     raw(deep + "\xdd\xff\xff\xff\xff"),
		"a map of four billion":      raw(deep + "\xdf\xff\xff\xff\xff"),
		"a text of four billion":     raw(deep + "\xdb\xff\xff\xff\xff"),
		"bytes of four billion":      raw(deep + "\xc6\xff\xff\xff\xff"),
		"lists in lists":             raw(deep + strings.Repeat("\x91", 5_000_000)),
		"maps in maps":               raw(deep + strings.Repeat("\x81\xa1x", 5_000_000)),
		"large lists in large lists": raw(deep + strings.Repeat("\xdd\x00\x0f\x00\x00", 100_000)),
		"many small values":          raw(deep + "\xdd\x02\x00\x00\x00" + strings.Repeat("\xc0", 33_000_000)),
		"a key that is a number":     raw("\x81\x01\x80"),
		"an extension type":          raw(deep + "\xc9\xff\xff\xff\xff\x07"),
		"not a map":                  raw("\x93\x01\x02\x03"),
		"nothing":                    {},
		"a bomb":                     bomb(2 << 30),
		"a long text after the map":  append(packed(record(nil)), bytes.Repeat([]byte("x"), 1000)...),
	} {
		t.Run(name, func(t *testing.T) {
			sum := sha256.Sum256(shard)
			index := packed(map[string]any{"info": map[string]any{"subdir": "noarch", "base_url": "", "shards_base_url": "./shards/"}, "shards": map[string]any{"a": sum[:]}})
			c := hostile(t, func(w http.ResponseWriter, r *http.Request) {
				switch {
				case strings.HasSuffix(r.URL.Path, "/repodata_shards.msgpack.zst"):
					_, _ = w.Write(index)
				case strings.Contains(r.URL.Path, hex.EncodeToString(sum[:])):
					_, _ = w.Write(shard)
				default:
					http.NotFound(w, r)
				}
			})
			hostiletest.Cost(t, most, func() {
				records, err := c.Records(t.Context(), "noarch", "a")
				require.Empty(t, records)
				hostiletest.Sentence(t, err)
			})
		})
	}
	for name, index := range map[string][]byte{
		"a digest of one byte":  packed(map[string]any{"shards": map[string]any{"a": []byte{1}}}),
		"a digest that is text": packed(map[string]any{"shards": map[string]any{"a": 7}}),
		"shards elsewhere":      packed(map[string]any{"info": map[string]any{"shards_base_url": "file:///etc/"}, "shards": map[string]any{"a": make([]byte, 32)}}),
		"shards nowhere":        packed(map[string]any{"info": map[string]any{"shards_base_url": "%zz\x1b"}, "shards": map[string]any{"a": make([]byte, 32)}}),
		"a name twice":          squeeze([]byte("\x81\xa6shards\x82\xa1a\xc4\x20" + strings.Repeat("x", 32) + "\xa1a\xc4\x20" + strings.Repeat("y", 32))),
		"many names":            squeeze(manyNames(1 << 20)),
	} {
		t.Run("index: "+name, func(t *testing.T) {
			c := hostile(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(index) })
			hostiletest.Cost(t, most, func() {
				_, err := c.Records(t.Context(), "noarch", "a")
				hostiletest.Sentence(t, err)
			})
		})
	}
}

// manyNames returns a shard index with n shards.
func manyNames(n int) []byte {
	var b bytes.Buffer
	e := msgpack.NewEncoder(&b)
	_ = errors.Join(e.EncodeMapLen(1), e.EncodeString("shards"), e.EncodeMapLen(n))
	for i := range n {
		_ = errors.Join(e.EncodeString(fmt.Sprint("n", i)), e.EncodeBytes(make([]byte, 32)))
	}
	return b.Bytes()
}

// repeated returns a reader of begin, followed by n copies of text.
func repeated(begin, text string, n int) io.Reader {
	readers := []io.Reader{strings.NewReader(begin)}
	piece := strings.Repeat(text, 1000)
	for range n / 1000 {
		readers = append(readers, strings.NewReader(piece))
	}
	return io.MultiReader(readers...)
}

// An index that is a decompression bomb, is endless, or has too many entries costs no more than a large valid index.
func TestHostileSizes(t *testing.T) {
	zipped := func(r io.Reader) []byte {
		var b bytes.Buffer
		e, _ := zstd.NewWriter(&b)
		_, _ = io.Copy(e, r)
		_ = e.Close()
		return b.Bytes()
	}
	gz := func() []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = z.Write(bytes.Repeat([]byte(" "), 64<<20))
		_ = z.Close()
		return b.Bytes()
	}()
	endless := func(w http.ResponseWriter, r *http.Request, text string) {
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, text); err != nil {
				return
			}
		}
	}
	big := strings.Repeat("x", 1<<16)
	bombs := map[string][]byte{"bomb": bomb(4 << 30), "records": zipped(repeated(`{"packages.conda":{`, `"a":{},`, 40<<20)), "window": append([]byte("\x28\xb5\x2f\xfd\x00\xf8"), make([]byte, 100)...)}
	for name, answer := range map[string]struct {
		zst, json func(w http.ResponseWriter, r *http.Request)
		next      bool // whether the error has a next step
	}{
		"a zstd bomb":           {zst: func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(bombs["bomb"]) }},
		"a bomb of records":     {zst: func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(bombs["records"]) }, next: true},
		"a window of gigabytes": {zst: func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(bombs["window"]) }},
		"empty frames": {
			zst: func(w http.ResponseWriter, r *http.Request) {
				endless(w, r, "\x50\x2a\x4d\x18\x00\xff\x00\x00"+big[:0xff00])
			},
			next: true,
		},
		"endless zstd":        {zst: func(w http.ResponseWriter, r *http.Request) { endless(w, r, big) }},
		"endless white space": {json: func(w http.ResponseWriter, r *http.Request) { endless(w, r, strings.Repeat(" ", 1<<16)) }, next: true},
		"an endless text":     {json: func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, `{"`); endless(w, r, big) }, next: true},
		"an endless part": {
			json: func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.WriteString(w, `{"x":[`)
				endless(w, r, `"x",`)
			},
			next: true,
		},
		"an endless record": {
			json: func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.WriteString(w, `{"packages.conda":{"a-1-0.conda":{"x":"`)
				endless(w, r, big)
			},
			next: true,
		},
		"endless records": {
			json: func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.WriteString(w, `{"packages.conda":{`)
				endless(w, r, strings.Repeat(`"a-1-0.conda":{},`, 100))
			},
			next: true,
		},
		"endless removals": {
			json: func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.WriteString(w, `{"removed":[`)
				endless(w, r, strings.Repeat(`"a-1-0.conda",`, 100))
			},
			next: true,
		},
		"endless depth": {
			json: func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.WriteString(w, `{"x":`)
				endless(w, r, strings.Repeat(`[`, 1000))
			},
			next: true,
		},
		"a gzip bomb that was not asked for": {json: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(gz)
		}},
		"silence":   {json: hostiletest.Silence, next: true},
		"a trickle": {json: hostiletest.Trickle, next: true},
		"an endless reason": {json: func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusTeapot)
			endless(w, r, "\x1b[31m"+big)
		}},
		"a circle": {json: func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) }, next: true},
		"to a file": {
			json: func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
			},
			next: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := hostile(t, func(w http.ResponseWriter, r *http.Request) {
				switch {
				case strings.HasSuffix(r.URL.Path, ".json.zst") && answer.zst != nil:
					answer.zst(w, r)
				case strings.HasSuffix(r.URL.Path, "repodata.json") && answer.json != nil:
					answer.json(w, r)
				default:
					http.NotFound(w, r)
				}
			})
			hostiletest.Cost(t, most, func() {
				_, err := c.Records(t.Context(), "noarch", "a")
				require.Error(t, err)
				if answer.next {
					hostiletest.Sentence(t, err)
				}
			})
		})
	}
}

// A download that is endless, or longer than its size in the index, does not fill the disk.
func TestHostileDownloads(t *testing.T) {
	var sent atomic.Int64
	c := hostile(t, func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			n, err := w.Write(make([]byte, 1<<16))
			sent.Add(int64(n))
			if err != nil {
				return
			}
		}
	})
	dir := t.TempDir()
	hostiletest.Cost(t, most, func() {
		err := channel.Download(t.Context(), c, condapkg.Record{Index: condapkg.Index{Name: "a", Version: "1", Build: "0", Subdir: "noarch"}, SHA256: goodSum, Size: 1000}, dir+"/a")
		hostiletest.Sentence(t, err)
		require.ErrorIs(t, err, channel.ErrInvalid)
	})
	require.Less(t, sent.Load(), int64(64<<20))
	require.NoFileExists(t, dir+"/a")
}

// The token is sent only to its own server. It is not sent to another server after a redirect, or to its own server after a redirect through
// another one.
func TestHostileRedirectsAndTheToken(t *testing.T) {
	var home string
	var given []string
	note := func(where string, r *http.Request) { given = append(given, where+" "+r.Header.Get("Authorization")) }
	away := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		note("away", r)
		http.Redirect(w, r, home+"/back", http.StatusFound)
	}))
	defer away.Close()
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		note("home", r)
		switch {
		case r.URL.Path == "/back":
			_, _ = io.WriteString(w, "{}")
		case r.Header.Get("Authorization") == "":
			w.WriteHeader(http.StatusNotFound)
		default:
			http.Redirect(w, r, away.URL+"/x", http.StatusFound)
		}
	}))
	defer h.Close()
	home = h.URL
	c := client(t, home, time.Minute)
	private, err := c.Private(t.Context())
	require.NoError(t, err)
	require.True(t, private)
	require.Equal(t, []string{"home ", "home Bearer " + token, "away ", "home "}, given)

	secure := httptest.NewTLSServer(http.RedirectHandler(home+"/back", http.StatusFound))
	defer secure.Close()
	p, err := prefixdev.New(prefixdev.Options{Server: secure.URL, Token: token, Transport: secure.Client().Transport, Wait: func(context.Context, int, time.Duration) error { return nil }})
	require.NoError(t, err)
	remote, err := p.Channel("demo")
	require.NoError(t, err)
	_, err = remote.Records(t.Context(), "noarch")
	hostiletest.Sentence(t, err)
	require.ErrorContains(t, err, "which is not https")
}
