package httpclient_test

import (
	"io"
	"log"
)

// quiet discards the log of a test server.
var quiet = log.New(io.Discard, "", 0)
