package localengine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/moby/moby/api/types/common"
	"github.com/moby/moby/api/types/system"
)

// answer is an error with a status.
type answer struct {
	status  int
	message string
}

func (a *answer) Error() string { return a.message }

func says(status int, format string, args ...any) error {
	return &answer{status: status, message: fmt.Sprintf(format, args...)}
}

// versioned is the version of the API, in front of a path.
var versioned = regexp.MustCompile(`^/v1\.(\d+)/`)

// route is what a path of the API leads to.
type route struct {
	method string
	path   *regexp.Regexp
	handle func(e *Engine, w http.ResponseWriter, r *http.Request, of string) error
}

// A name of an image may have slashes.
const one = `([^/]+)`

var routes = []route{
	{"GET", whole("/version"), (*Engine).version},
	{"POST", whole("/images/create"), (*Engine).pull},
	{"GET", whole("/images/json"), (*Engine).listImages},
	{"GET", whole("/images/(.+)/json"), (*Engine).inspectImage},
	{"DELETE", whole("/images/(.+)"), (*Engine).removeImage},
	{"GET", whole("/distribution/(.+)/json"), (*Engine).distribution},
	{"POST", whole("/containers/create"), (*Engine).createContainer},
	{"GET", whole("/containers/json"), (*Engine).listContainers},
	{"GET", whole("/containers/" + one + "/json"), of((*Engine).inspectContainer)},
	{"POST", whole("/containers/" + one + "/start"), of((*Engine).startContainer)},
	{"POST", whole("/containers/" + one + "/stop"), of((*Engine).stopContainer)},
	{"POST", whole("/containers/" + one + "/wait"), of((*Engine).waitContainer)},
	{"POST", whole("/containers/" + one + "/rename"), of((*Engine).renameContainer)},
	{"POST", whole("/containers/" + one + "/update"), of((*Engine).updateContainer)},
	{"POST", whole("/containers/" + one + "/attach"), of((*Engine).attachContainer)},
	{"POST", whole("/containers/" + one + "/exec"), of((*Engine).createExec)},
	{"GET", whole("/containers/" + one + "/logs"), of((*Engine).logsOfContainer)},
	{"DELETE", whole("/containers/" + one), of((*Engine).removeContainer)},
	{"POST", whole("/exec/" + one + "/start"), (*Engine).startExec},
	{"GET", whole("/exec/" + one + "/json"), (*Engine).inspectExec},
	{"POST", whole("/networks/create"), (*Engine).createNetwork},
	{"GET", whole("/networks"), (*Engine).listNetworks},
	{"GET", whole("/networks/" + one), (*Engine).inspectNetwork},
	{"DELETE", whole("/networks/" + one), (*Engine).removeNetwork},
	{"POST", whole("/volumes/create"), (*Engine).createVolume},
	{"GET", whole("/volumes"), (*Engine).listVolumes},
	{"GET", whole("/volumes/" + one), (*Engine).inspectVolume},
	{"DELETE", whole("/volumes/" + one), (*Engine).removeVolume},
}

func whole(pattern string) *regexp.Regexp { return regexp.MustCompile("^" + pattern + "$") }

// of looks for the container that a path names.
func of(handle func(*Engine, http.ResponseWriter, *http.Request, *Container) error) func(*Engine, http.ResponseWriter, *http.Request, string) error {
	return func(e *Engine, w http.ResponseWriter, r *http.Request, name string) error {
		c := e.container(name)
		if c == nil {
			return says(http.StatusNotFound, "No such container: %s", name)
		}
		return handle(e, w, r, c)
	}
}

func (e *Engine) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	path := r.URL.Path
	version := 0
	if m := versioned.FindStringSubmatch(path); m != nil {
		version, _ = strconv.Atoi(m[1])
		path = path[len(m[0])-1:]
	}
	shown := path
	if r.URL.RawQuery != "" {
		shown += "?" + r.URL.RawQuery
	}
	fault := e.note(Request{Method: r.Method, Path: shown, Header: r.Header.Clone(), Body: string(body)})
	switch fault {
	case Unanswered:
		panic(http.ErrAbortHandler)
	case Hanging:
		<-r.Context().Done()
		return
	case FullDisk:
		fail(w, says(http.StatusInternalServerError, "write /var/lib/docker/tmp/layer: no space left on device"))
		return
	case Broken:
		fail(w, says(http.StatusInternalServerError, "the engine has broken down"))
		return
	case Unheard:
		e.dispatch(&unheard{ResponseWriter: w, header: http.Header{}}, r, path, version)
		panic(http.ErrAbortHandler)
	}
	e.dispatch(w, r, path, version)
}

func (e *Engine) dispatch(w http.ResponseWriter, r *http.Request, path string, version int) {
	w.Header().Set("Api-Version", e.API)
	w.Header().Set("Ostype", "linux")
	if path == "/_ping" {
		_, _ = io.WriteString(w, "OK")
		return
	}
	newest, _ := strconv.Atoi(strings.TrimPrefix(e.API, "1."))
	if version > newest {
		fail(w, says(http.StatusBadRequest, "client version 1.%d is too new. Maximum supported API version is %s", version, e.API))
		return
	}
	for _, route := range routes {
		m := route.path.FindStringSubmatch(path)
		if m == nil || r.Method != route.method {
			continue
		}
		if err := route.handle(e, w, r, m[len(m)-1]); err != nil {
			fail(w, err)
		}
		return
	}
	fail(w, says(http.StatusNotFound, "page not found"))
}

func fail(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	if a, ok := err.(*answer); ok {
		status = a.status
	}
	send(w, status, common.ErrorResponse{Message: err.Error()})
}

func send(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func read(r *http.Request, into any) error {
	if err := json.NewDecoder(r.Body).Decode(into); err != nil {
		return says(http.StatusBadRequest, "%v", err)
	}
	return nil
}

func (e *Engine) version(w http.ResponseWriter, _ *http.Request, _ string) error {
	send(w, http.StatusOK, system.VersionResponse{Version: "20.10.24", APIVersion: e.API, MinAPIVersion: "1.12", Os: "linux", Arch: e.Arch})
	return nil
}

// filtered reports whether labels have all that a request asks for.
func filtered(r *http.Request, labels map[string]string) bool {
	var filters map[string]map[string]bool
	_ = json.Unmarshal([]byte(r.URL.Query().Get("filters")), &filters)
	for want := range filters["label"] {
		key, value, hasValue := strings.Cut(want, "=")
		got, there := labels[key]
		if !there || hasValue && got != value {
			return false
		}
	}
	return true
}
