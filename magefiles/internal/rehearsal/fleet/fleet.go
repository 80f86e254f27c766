// Package fleet runs the real deployment targets of a rehearsal against stand-ins for the hosts of the deployment environments. It reports which
// image responded on which host, and when.
//
//	fleet.go     images, hosts and environments
//	delivery.go  the steps and approvals of a delivery
package fleet

import (
	"context"
	"time"
)

// Image is an image of the downstream.
type Image struct {
	Repository string
	Platforms  []string
	Labels     map[string]string
	Password   string // password of the registry
}

// Hosts replaces the hosts of one downstream's deployment environments.
type Hosts interface {
	App() string
	Environments() []Environment // in the order of delivery
	Environ() []string           // variables that direct a deployment to these hosts
	// Push pushes a stand-in for an image to its repository.
	Push(ctx context.Context, i Image) (digest string, err error)
	Stays() []Stay
	Close()
}

// Environment is one deployment environment.
type Environment struct {
	Name  string
	After string // the environment that must run an image before this one may; "" for none
	Hosts int
	ByCI  bool // the CI deploys to it
}

// Stay is the period in which one image responded on a host.
type Stay struct {
	Environment string    `json:"environment"`
	Host        string    `json:"host"`
	Digest      string    `json:"digest"`
	From        time.Time `json:"from"`
	Until       time.Time `json:"until"` // time of the last response
	Answers     int       `json:"answers"`
	Failed      int       `json:"failed,omitempty"` // failed requests since the first response
}
