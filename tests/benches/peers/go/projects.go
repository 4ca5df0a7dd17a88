package main

import (
	"context"
	"fmt"
	"net/url"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/cluster"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/source"
)

// Request carries the cluster, as that of multicluster-runtime does.
type Request struct {
	ctrl.Request
	ClusterName string
}

// Projects engages a cluster for every ready project: what multicluster-runtime's manager and Milo's provider do
// together.
type Projects struct {
	local    manager.Manager
	websites controller.TypedController[Request]
	// The caches of a project are filled before it counts as engaged, as sources of multicluster-runtime have it.
	waits bool

	lock    sync.RWMutex
	engaged map[string]engagement
}

type engagement struct {
	cluster.Cluster
	stop context.CancelFunc
}

func newProject() *unstructured.Unstructured {
	project := &unstructured.Unstructured{}
	project.SetGroupVersionKind(schema.GroupVersionKind{
		Group: "resourcemanager.miloapis.com", Version: "v1alpha1", Kind: "Project",
	})
	return project
}

// SetupWithManager follows the projects; so many are engaged at once. Those providers that are published do one after
// the other.
func (p *Projects) SetupWithManager(mgr manager.Manager, atOnce int) error {
	return ctrl.NewControllerManagedBy(mgr).
		Named("projects").
		For(newProject()).
		WithOptions(controller.Options{MaxConcurrentReconciles: atOnce}).
		Complete(p)
}

// GetCluster is that of a request.
func (p *Projects) GetCluster(name string) (cluster.Cluster, error) {
	p.lock.RLock()
	defer p.lock.RUnlock()
	if engaged, ok := p.engaged[name]; ok {
		return engaged, nil
	}
	return nil, fmt.Errorf("project %q is not engaged", name)
}

// Reconcile engages a project that is ready, and disengages one that is gone.
func (p *Projects) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	project := newProject()
	if err := p.local.GetClient().Get(ctx, req.NamespacedName, project); err != nil {
		if client.IgnoreNotFound(err) == nil {
			p.lock.Lock()
			if engaged, ok := p.engaged[req.Name]; ok {
				engaged.stop()
				delete(p.engaged, req.Name)
			}
			p.lock.Unlock()
			return ctrl.Result{}, nil
		}
		return ctrl.Result{}, err
	}
	if _, err := p.GetCluster(req.Name); err == nil || !isReady(project) {
		return ctrl.Result{}, nil
	}
	return ctrl.Result{}, p.engage(ctx, req.Name)
}

func (p *Projects) engage(ctx context.Context, name string) error {
	cfg := rest.CopyConfig(p.local.GetConfig())
	host, err := url.Parse(cfg.Host)
	if err != nil {
		return err
	}
	host.Path = "/apis/resourcemanager.miloapis.com/v1alpha1/projects/" + name + "/control-plane"
	cfg.Host = host.String()
	cl, err := cluster.New(cfg, func(o *cluster.Options) {
		o.Scheme = p.local.GetScheme()
		o.Cache.DefaultTransform = cache.TransformStripManagedFields()
	})
	if err != nil {
		return err
	}
	lifetime, stop := context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		if err := cl.Start(lifetime); err != nil {
			ctrl.Log.Error(err, "a cluster has ended", "project", name)
		}
	}()
	if !cl.GetCache().WaitForCacheSync(ctx) {
		stop()
		return fmt.Errorf("the cache of project %q did not start", name)
	}
	p.lock.Lock()
	p.engaged[name] = engagement{cl, stop}
	p.lock.Unlock()

	// Status updates wake nothing: as usual, and as the other contenders have it.
	relevant := predicate.Or[*Website](
		predicate.TypedGenerationChangedPredicate[*Website]{},
		predicate.TypedLabelChangedPredicate[*Website]{},
		predicate.TypedAnnotationChangedPredicate[*Website]{},
	)
	if err := p.fill(ctx, cl, &Website{}); err != nil {
		return err
	}
	if err := p.websites.Watch(source.TypedKind(cl.GetCache(), &Website{}, forObject(name), relevant)); err != nil {
		return err
	}
	if err := p.fill(ctx, cl, &corev1.ConfigMap{}); err != nil {
		return err
	}
	return p.websites.Watch(source.TypedKind(cl.GetCache(), &corev1.ConfigMap{}, forOwner(name)))
}

// fill waits until a cache has all objects of a kind, if that is to be waited for.
func (p *Projects) fill(ctx context.Context, cl cluster.Cluster, kind client.Object) error {
	if !p.waits {
		return nil
	}
	_, err := cl.GetCache().GetInformer(ctx, kind)
	return err
}

// forObject wakes the object itself: `For` of a builder.
func forObject(clusterName string) handler.TypedEventHandler[*Website, Request] {
	return handler.TypedEnqueueRequestsFromMapFunc(func(_ context.Context, site *Website) []Request {
		return []Request{{ctrl.Request{NamespacedName: client.ObjectKeyFromObject(site)}, clusterName}}
	})
}

// forOwner wakes the website that controls a page: `Owns` of a builder.
func forOwner(clusterName string) handler.TypedEventHandler[*corev1.ConfigMap, Request] {
	return handler.TypedEnqueueRequestsFromMapFunc(func(_ context.Context, page *corev1.ConfigMap) []Request {
		for _, owner := range page.OwnerReferences {
			if owner.Controller != nil && *owner.Controller && owner.Kind == "Website" {
				key := types.NamespacedName{Namespace: page.Namespace, Name: owner.Name}
				return []Request{{ctrl.Request{NamespacedName: key}, clusterName}}
			}
		}
		return nil
	})
}

func isReady(project *unstructured.Unstructured) bool {
	conditions, _, _ := unstructured.NestedSlice(project.Object, "status", "conditions")
	for _, condition := range conditions {
		if fields, ok := condition.(map[string]any); ok && fields["type"] == "Ready" {
			return fields["status"] == "True"
		}
	}
	return false
}
