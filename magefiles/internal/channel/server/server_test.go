package server_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/attestation/attestationtest"
	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/channel/channeltest"
	"github.com/foopack/foopack/magefiles/internal/channel/server"
	"github.com/foopack/foopack/magefiles/internal/channel/store"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/condapkg/condapkgtest"
	"github.com/foopack/foopack/magefiles/internal/condapkg/repodata"
)

const key = "pfx_test"

// site is a server for a store. Requests call its handler directly, without a network.
type site struct {
	dir     string
	store   *store.Store
	handler http.Handler
}

func start(t testing.TB, o server.Options) site {
	t.Helper()
	dir := t.TempDir()
	s, err := store.Open(dir)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	o.Spool = s.Incoming()
	if o.Authorize == nil {
		o.Authorize = channeltest.APIKey(key)
	}
	return site{dir, s, server.New(s, o)}
}

// request is an upload request that is valid unless a test changes it.
type request struct {
	method, target string
	header         http.Header
	body           []byte
}

func (s site) do(r request) *http.Response {
	req := httptest.NewRequest(r.method, r.target, bytes.NewReader(r.body))
	for k, v := range r.header {
		req.Header[k] = v
	}
	rec := httptest.NewRecorder()
	s.handler.ServeHTTP(rec, req)
	return rec.Result()
}

func (s site) get(target string) *http.Response { return s.do(request{method: "GET", target: target}) }

func text(t testing.TB, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	return string(b)
}

var demo = condapkgtest.Package{Name: "a"}

func sum(data []byte) string {
	d := condapkg.NewDigester()
	d.Write(data)
	return d.SHA256()
}

// part is a part of a multipart form.
type part struct {
	header string
	body   []byte
}

func filePart(file string, data []byte) part {
	return part{
		header: fmt.Sprintf("Content-Disposition: form-data; name=\"file\"; filename=\"%s\"\r\ncontent-type: application/octet-stream\r\n"+
			"content-length: %d\r\nx-file-name: %s\r\nx-file-sha256: %s\r\n", file, len(data), file, sum(data)),
		body: data,
	}
}

func form(parts ...part) request {
	var b bytes.Buffer
	for _, p := range parts {
		fmt.Fprintf(&b, "--B\r\n%s\r\n%s\r\n", p.header, p.body)
	}
	b.WriteString("--B--\r\n")
	return request{
		method: "POST",
		target: "/api/v1/upload/demo",
		header: http.Header{
			"Content-Type": {"multipart/form-data; boundary=B"}, "Authorization": {"Bearer " + key},
		},
		body: b.Bytes(),
	}
}

func attest(bundle string) part {
	return part{"Content-Disposition: form-data; name=\"attestation\"\r\n", []byte(bundle)}
}

func rawUpload(file string, data []byte) request {
	return request{
		method: "POST",
		target: "/api/v1/upload/demo",
		header: http.Header{
			"Content-Type": {"application/octet-stream"}, "Authorization": {"Bearer " + key},
			"X-File-Name": {file}, "X-File-Sha256": {sum(data)},
		},
		body: data,
	}
}

func TestUploadForms(t *testing.T) {
	for name, upload := range map[string]func(string, []byte) request{
		"form": func(f string, d []byte) request { return form(filePart(f, d)) }, "raw": rawUpload,
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, server.Options{})
			data, file := demo.Bytes(t), demo.FileName()
			require.Equal(t, 404, s.get("/demo/noarch/repodata.json").StatusCode, "no channel yet")
			r := s.do(upload(file, data))
			require.Equal(t, 201, r.StatusCode, text(t, r))
			require.Equal(t, data, []byte(text(t, s.get("/demo/noarch/"+file))))
			require.Contains(t, text(t, s.get("/demo/noarch/repodata.json")), sum(data))

			r = s.do(upload(file, data))
			require.Equal(t, 409, r.StatusCode)
			require.Contains(t, text(t, r), "with the same sha256 "+sum(data))
			other := condapkgtest.Package{Name: "a", Depends: []string{"b"}}.Bytes(t)
			r = s.do(upload(file, other))
			require.Equal(t, 409, r.StatusCode)
			said := text(t, r)
			require.Contains(t, said, sum(data))
			require.Contains(t, said, sum(other))
			require.Equal(t, "text/plain; charset=utf-8", r.Header.Get("Content-Type"))

			force := upload(file, other)
			force.target += "?force=true"
			require.Equal(t, 201, s.do(force).StatusCode)
			require.Equal(t, other, []byte(text(t, s.get("/demo/noarch/"+file))))
			channeltest.NoStrays(t, s.dir, 1)
		})
	}
}

func TestBadUploadsStoreNothing(t *testing.T) {
	data, file := demo.Bytes(t), demo.FileName()
	good := filePart(file, data)
	change := func(old, new string) request {
		return form(part{strings.Replace(good.header, old, new, 1), data})
	}
	header := func(r request, key, value string) request {
		r.header.Set(key, value)
		return r
	}
	to := func(target string) request { r := form(good); r.target = target; return r }
	cutOff := form(good)
	cutOff.body = cutOff.body[:len(cutOff.body)-30]
	upper := condapkgtest.Package{Name: "Upper"}
	odd := condapkgtest.Package{Name: "a", Subdir: "amiga-68k"}
	v3 := condapkgtest.Package{Name: "a", Extra: map[string]any{"extra_depends": map[string]any{"x": []string{"b"}}}}
	for name, c := range map[string]struct {
		request request
		status  int
		says    string
	}{
		"no token":          {header(form(good), "Authorization", ""), 401, "no token was sent"},
		"wrong token":       {header(form(good), "Authorization", "Bearer pfx_other"), 401, "is unknown"},
		"basic auth":        {header(form(good), "Authorization", "Basic "+key), 401, "no token was sent"},
		"no channel":        {to("/api/v1/upload/"), 400, "name of a channel"},
		"channel path":      {to("/api/v1/upload/a/b"), 400, "name of a channel"},
		"channel traversal": {to("/api/v1/upload/..%2fx"), 400, "name of a channel"},
		"force maybe":       {to("/api/v1/upload/demo?force=maybe"), 400, "true or false"},
		"no boundary":       {header(form(good), "Content-Type", "multipart/form-data"), 400, "boundary"},
		"other boundary":    {header(form(good), "Content-Type", "multipart/form-data; boundary=C"), 400, "cannot be read"},
		"cut off":           {cutOff, 400, "cannot be read"},
		"no parts":          {form(), 400, `no part named "file"`},
		"two files":         {form(good, good), 400, "an unexpected part"},
		"another part":      {form(part{"Content-Disposition: form-data; name=\"x\"\r\n", nil}, good), 400, "an unexpected part"},
		"attestation":       {form(good, part{"Content-Disposition: form-data; name=\"attestation\"\r\n", []byte("{}")}), 422, "expected a sigstore bundle"},
		"two attestations":  {form(good, attest("{}"), attest("{}")), 400, "an unexpected part"},
		"a large one":       {form(good, attest(strings.Repeat("x", 4<<20))), 413, "the attestation is longer"},
		"two names":         {change("x-file-name: a-", "x-file-name: b-"), 400, "two different names"},
		"no name":           {header(rawUpload(file, data), "X-File-Name", ""), 400, "X-File-Name"},
		"wrong length":      {change("content-length: ", "content-length: 1"), 400, "content-length is"},
		"wrong sha256":      {change("x-file-sha256: "+sum(data), "x-file-sha256: "+sum(nil)), 422, "x-file-sha256 is"},
		"an invalid sha256": {change("x-file-sha256: ", "x-file-sha256: z"), 400, "64 hexadecimal"},
		"name traversal":    {header(rawUpload(file, data), "X-File-Name", "../"+file), 422, "is a path"},
		"other name":        {form(filePart("b-1.0-pyh4616a5c_0.conda", data)), 422, "the file name has the name"},
		"other version":     {form(filePart("a-2.0-pyh4616a5c_0.conda", data)), 422, "the file name has the version"},
		"tar.bz2":           {form(filePart("a-1.0-pyh4616a5c_0.tar.bz2", data)), 422, "does not end in .conda"},
		"no archive":        {form(filePart(file, []byte("junk"))), 422, "not a usable .conda archive"},
		"empty":             {rawUpload(file, nil), 422, "not a usable .conda archive"},
		"damaged":           {form(filePart(file, data[:len(data)-9])), 422, "not a usable .conda archive"},
		"upper case":        {form(filePart(upper.FileName(), upper.Bytes(t))), 422, "has the name"},
		"unknown subdir":    {form(filePart(odd.FileName(), odd.Bytes(t))), 422, "not a platform"},
		"v3":                {form(filePart(v3.FileName(), v3.Bytes(t))), 403, "Channel 'demo' does not allow v3 repodata uploads"},
		"put":               {request{"PUT", "/api/v1/upload/demo", nil, data}, 405, "PUT is not allowed for this path"},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, server.Options{})
			r := s.do(c.request)
			said := text(t, r)
			require.Equal(t, c.status, r.StatusCode, said)
			require.Contains(t, said, c.says)
			require.LessOrEqual(t, len(said), 512)
			require.NotContains(t, said, s.dir, "the answer has no path of this machine")
			require.Empty(t, s.store.Channels(), "no channel was created")
			channeltest.NoStrays(t, s.dir, 0)
		})
	}
}

func TestTooLarge(t *testing.T) {
	s := start(t, server.Options{MaxUpload: 200})
	r := s.do(form(filePart(demo.FileName(), demo.Bytes(t))))
	require.Equal(t, 413, r.StatusCode)
	big := rawUpload(demo.FileName(), make([]byte, 6<<20))
	require.Equal(t, 413, s.do(big).StatusCode, "refused because of its content-length")
	channeltest.NoStrays(t, s.dir, 0)
}

func TestAuthorizationHook(t *testing.T) {
	s := start(t, server.Options{Authorize: func(_ context.Context, token string, action server.Action, name string) error {
		switch {
		case token == "reader" && action == server.Read, token == "owner" && name == "demo":
			return nil
		case action == server.Read:
			return channel.Errorf(channel.ErrNotFound, "there is nothing here")
		case token == "reader":
			return channel.Errorf(channel.ErrForbidden, "this token may only read")
		}
		return channel.ErrUnauthorized
	}})
	upload := form(filePart(demo.FileName(), demo.Bytes(t)))
	for token, status := range map[string]int{"reader": 403, "": 401} {
		upload.header.Set("Authorization", "Bearer "+token)
		require.Equal(t, status, s.do(upload).StatusCode, token)
	}
	upload.header.Set("Authorization", "Bearer owner")
	require.Equal(t, 201, s.do(upload).StatusCode)
	require.Equal(t, 404, s.get("/demo/noarch/repodata.json").StatusCode, "a private channel looks like a missing one")
	require.Equal(t, 200, s.get("/t/reader/demo/noarch/repodata.json").StatusCode, "conda sends a token in the path")
}

func TestReading(t *testing.T) {
	s := start(t, server.Options{})
	data, file := demo.Bytes(t), demo.FileName()
	require.Equal(t, 201, s.do(form(filePart(file, data))).StatusCode)

	for _, subdir := range condapkg.Subdirs() {
		for _, index := range []string{repodata.JSON, repodata.JSONZst, repodata.Shards} {
			r := s.get("/demo/" + subdir + "/" + index)
			require.Equal(t, 200, r.StatusCode, subdir+"/"+index)
			require.Equal(t, "no-cache", r.Header.Get("Cache-Control"))
			require.Regexp(t, `^"[0-9a-f]{64}"$`, r.Header.Get("ETag"))
			require.Empty(t, r.Header.Get("Content-Encoding"))
		}
	}
	x, err := repodata.Own.DecodeShards(s.get("/demo/noarch/" + repodata.Shards).Body)
	require.NoError(t, err)
	r := s.get("/demo/noarch/" + x.Shards["a"].File())
	require.Equal(t, "public, max-age=31536000, immutable", r.Header.Get("Cache-Control"))
	_, err = repodata.Own.DecodeShard(r.Body, x.Shards["a"], "")
	require.NoError(t, err)

	etag := s.get("/demo/noarch/repodata.json").Header.Get("ETag")
	again := request{"GET", "/demo/noarch/repodata.json", http.Header{"If-None-Match": {etag}}, nil}
	require.Equal(t, 304, s.do(again).StatusCode)

	head := s.do(request{method: "HEAD", target: "/demo/noarch/" + file})
	require.Equal(t, 200, head.StatusCode)
	require.EqualValues(t, len(data), head.ContentLength)
	require.Empty(t, text(t, head))

	tail := s.do(request{"GET", "/demo/noarch/" + file, http.Header{"Range": {"bytes=-10"}}, nil})
	require.Equal(t, 206, tail.StatusCode)
	require.Equal(t, data[len(data)-10:], []byte(text(t, tail)))

	absolute := s.get("http://prefix.example/demo/noarch/" + file)
	require.Equal(t, data, []byte(text(t, absolute)), "as in a request to a proxy")

	for _, none := range []string{
		"/", "/demo", "/demo/", "/demo/noarch", "/demo/noarch/", "/none/noarch/repodata.json", "/demo/noarch/repodata.json.bz2",
		"/demo/noarch/.records.log", "/demo/noarch/../../.lock", "/demo/noarch/..%2f..%2f.lock", "/.incoming/x/y", "/demo/notices.json",
		"/demo/noarch/shards/" + strings.Repeat("0", 64) + ".msgpack.zst", "/demo//repodata.json", "/api/v1/upload",
	} {
		r := s.get(none)
		require.Equal(t, 404, r.StatusCode, none)
		require.Empty(t, r.Header.Get("Location"), none)
	}
}

func TestDelete(t *testing.T) {
	s := start(t, server.Options{})
	require.Equal(t, 201, s.do(form(filePart(demo.FileName(), demo.Bytes(t)))).StatusCode)
	r := request{"DELETE", "/api/v1/delete/demo/noarch/" + demo.FileName(), http.Header{}, nil}
	require.Equal(t, 401, s.do(r).StatusCode)
	r.header.Set("Authorization", "Bearer "+key)
	require.Equal(t, 200, s.do(r).StatusCode)
	require.Equal(t, 404, s.do(r).StatusCode)
	require.Equal(t, 404, s.get("/demo/noarch/"+demo.FileName()).StatusCode)
	channeltest.NoStrays(t, s.dir, 0)
}

// FuzzUpload sends arbitrary uploads. After a success, the artifact must be readable. Any other response must be a 4xx with a message, and
// nothing may be stored.
func FuzzUpload(f *testing.F) {
	data, file := demo.Bytes(f), demo.FileName()
	good := form(filePart(file, data))
	f.Add("multipart/form-data; boundary=B", file, sum(data), good.body)
	f.Add("multipart/form-data; boundary=B", file, sum(data), good.body[:len(good.body)-9])
	f.Add("multipart/form-data; boundary=\"", file, "", good.body)
	f.Add("application/octet-stream", file, sum(data), data)
	f.Add("application/octet-stream", "../"+file, "", data)
	f.Add("", "", "", []byte(nil))
	bundle := attestationtest.Claim{File: file, SHA256: sum(data), TargetChannel: "http://example.com/demo"}.Bundle(f)
	f.Add("multipart/form-data; boundary=B", file, sum(data), form(filePart(file, data), attest(string(bundle))).body)
	f.Add("multipart/form-data; boundary=B", "", "", form(part{"content-disposition: form-data; name=file; filename*=utf-8''..%2f\r\n", data}).body)
	dir := f.TempDir()
	s, err := store.Open(dir)
	require.NoError(f, err)
	f.Cleanup(func() { s.Close() })
	h := server.New(s, server.Options{Authorize: channeltest.APIKey(key), Spool: s.Incoming(), MaxUpload: 1 << 20})
	f.Fuzz(func(t *testing.T, contentType, file, digest string, body []byte) {
		r := request{
			method: "POST",
			target: "/api/v1/upload/demo?force=true",
			header: http.Header{
				"Content-Type": {contentType}, "X-File-Name": {file}, "X-File-Sha256": {digest}, "Authorization": {"Bearer " + key},
			},
			body: body,
		}
		before := artifacts(t, dir)
		resp := site{dir, s, h}.do(r)
		said := text(t, resp)
		left, err := filepath.Glob(filepath.Join(s.Incoming(), "*"))
		require.NoError(t, err)
		require.Empty(t, left)
		if resp.StatusCode == 201 {
			c, err := s.Channel(t.Context(), "demo")
			require.NoError(t, err)
			channeltest.Index(t, c, "noarch")
			return
		}
		require.GreaterOrEqual(t, resp.StatusCode, 400, said)
		require.Less(t, resp.StatusCode, 500, said)
		require.NotEmpty(t, strings.TrimSpace(said))
		require.Equal(t, before, artifacts(t, dir), "nothing is stored")
	})
}

func artifacts(t testing.TB, dir string) int {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*", "*", "*"+condapkg.Ext))
	require.NoError(t, err)
	return len(files)
}
