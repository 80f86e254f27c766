package delivery

import "github.com/foopack/foopack/magefiles/internal/session"

// Until is what a plan takes of the environments.
var Until = until

// OperationOf is what the kill test ends.
func OperationOf(d *Delivery) *session.Operation[*Plan] { return d.operation() }

// AwaitBy is Await with another clock.
var AwaitBy = await
