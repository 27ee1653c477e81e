//! The form of a package of WIT: its items by name, without documentation.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use semver::Version;
use wit_parser::{
    Function, FunctionKind, Handle, InterfaceId, PackageId, Resolve, Stability, Type, TypeDefKind,
    TypeId, TypeOwner, WorldItem, WorldKey,
};

/// All that a package declares.
#[derive(Clone, Debug)]
pub(super) struct Form {
    pub(super) version: Version,
    pub(super) interfaces: BTreeMap<String, Interface>,
    pub(super) worlds: BTreeMap<String, World>,
}

#[derive(Clone, Debug)]
pub(super) struct Interface {
    pub(super) since: Option<Version>,
    /// By kind and name, as in `function log.append`.
    pub(super) items: BTreeMap<String, Item>,
}

#[derive(Clone, Debug)]
pub(super) struct Item {
    /// The item as one line of WIT.
    pub(super) text: String,
    /// The version of `@since`. None: it has none.
    pub(super) since: Option<Version>,
    /// The name of a type of another interface, by `use`.
    pub(super) is_use: bool,
}

#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) since: Option<Version>,
    /// The names of interfaces; those of other packages with their versions.
    pub(super) imports: BTreeSet<String>,
    pub(super) exports: BTreeSet<String>,
}

impl Form {
    /// Reads a package from a file, or from a folder with its dependencies below `deps`.
    pub(super) fn read(path: &Path) -> Self {
        let mut resolve = Resolve::default();
        let (package, _) = match resolve.push_path(path) {
            Ok(read) => read,
            Err(error) => panic!("{}: {error:#}", path.display()),
        };
        Self::of(&resolve, package)
    }

    fn of(resolve: &Resolve, id: PackageId) -> Self {
        let package = &resolve.packages[id];
        let version = package.name.version.clone();
        let reader = Reader { resolve, package: id };
        let interfaces = package.interfaces.iter();
        let worlds = package.worlds.iter();
        Self {
            version: version.unwrap(),
            interfaces: interfaces
                .map(|(name, id)| (name.clone(), reader.interface(*id)))
                .collect(),
            worlds: worlds
                .map(|(name, id)| {
                    let world = &resolve.worlds[*id];
                    let names = |(key, item): (&WorldKey, &WorldItem)| reader.key(key, item);
                    let world = World {
                        since: since(&world.stability),
                        imports: world.imports.iter().map(names).collect(),
                        exports: world.exports.iter().map(names).collect(),
                    };
                    (name.clone(), world)
                })
                .collect(),
        }
    }
}

struct Reader<'a> {
    resolve: &'a Resolve,
    /// The package whose names need no version.
    package: PackageId,
}

impl Reader<'_> {
    fn interface(&self, id: InterfaceId) -> Interface {
        let interface = &self.resolve.interfaces[id];
        let functions = interface.functions.values().map(|function| {
            let name = function.name.rsplit(']').next().unwrap_or(&function.name);
            let (text, since) = (self.function(function), since(&function.stability));
            (format!("function {name}"), Item { text, since, is_use: false })
        });
        let types = interface.types.iter().map(|(name, id)| {
            let ty = &self.resolve.types[*id];
            let is_use = matches!(ty.kind, TypeDefKind::Type(Type::Id(used))
                if self.resolve.types[used].owner != TypeOwner::Interface(interface_of(ty.owner)));
            let item = Item { text: self.kind(&ty.kind), since: since(&ty.stability), is_use };
            (format!("type {name}"), item)
        });
        Interface { since: since(&interface.stability), items: functions.chain(types).collect() }
    }

    /// Returns the name of an import or an export of a world.
    fn key(&self, key: &WorldKey, item: &WorldItem) -> String {
        match (key, item) {
            (WorldKey::Interface(id), _) => self.interface_name(*id),
            (WorldKey::Name(name), WorldItem::Function(function)) => {
                format!("{name}: {}", self.function(function))
            }
            (WorldKey::Name(name), WorldItem::Type { id, .. }) => {
                format!("{name}: {}", self.kind(&self.resolve.types[*id].kind))
            }
            (WorldKey::Name(name), WorldItem::Interface { .. }) => name.clone(),
        }
    }

    fn interface_name(&self, id: InterfaceId) -> String {
        let interface = &self.resolve.interfaces[id];
        match &interface.name {
            Some(name) if interface.package == Some(self.package) => name.clone(),
            _ => self.resolve.id_of(id).unwrap(),
        }
    }

    fn function(&self, function: &Function) -> String {
        let kind = match function.kind {
            FunctionKind::Freestanding => "",
            FunctionKind::AsyncFreestanding => "async ",
            FunctionKind::Method(_) => "method ",
            FunctionKind::AsyncMethod(_) => "async method ",
            FunctionKind::Static(_) => "static ",
            FunctionKind::AsyncStatic(_) => "async static ",
            FunctionKind::Constructor(_) => "constructor ",
        };
        let parameters = function.params.iter();
        let parameters = parameters.map(|one| format!("{}: {}", one.name, self.name(&one.ty)));
        let result = function.result.as_ref();
        let result = result.map(|ty| format!(" -> {}", self.name(ty))).unwrap_or_default();
        format!("{kind}func({}){result}", parameters.collect::<Vec<_>>().join(", "))
    }

    /// Returns the name of a type, with that of its interface, or what it is if it has no name.
    fn name(&self, ty: &Type) -> String {
        let Type::Id(id) = ty else { return format!("{ty:?}").to_lowercase() };
        self.name_of(*id)
    }

    fn name_of(&self, id: TypeId) -> String {
        let ty = &self.resolve.types[id];
        match (&ty.name, ty.owner) {
            (Some(name), TypeOwner::Interface(owner)) => {
                format!("{}.{name}", self.interface_name(owner))
            }
            (Some(name), _) => name.clone(),
            (None, _) => self.kind(&ty.kind),
        }
    }

    /// Returns what a type is.
    fn kind(&self, kind: &TypeDefKind) -> String {
        let maybe = |ty: &Option<Type>| ty.as_ref().map_or("_".to_owned(), |ty| self.name(ty));
        let inside: Vec<String> = match kind {
            TypeDefKind::Record(record) => {
                let fields = record.fields.iter();
                fields.map(|field| format!("{}: {}", field.name, self.name(&field.ty))).collect()
            }
            TypeDefKind::Variant(variant) => variant
                .cases
                .iter()
                .map(|case| match &case.ty {
                    Some(ty) => format!("{}({})", case.name, self.name(ty)),
                    None => case.name.clone(),
                })
                .collect(),
            TypeDefKind::Enum(of) => of.cases.iter().map(|case| case.name.clone()).collect(),
            TypeDefKind::Flags(flags) => flags.flags.iter().map(|flag| flag.name.clone()).collect(),
            TypeDefKind::Tuple(tuple) => tuple.types.iter().map(|ty| self.name(ty)).collect(),
            TypeDefKind::Result(result) => vec![maybe(&result.ok), maybe(&result.err)],
            TypeDefKind::Option(ty) | TypeDefKind::List(ty) | TypeDefKind::Type(ty) => {
                vec![self.name(ty)]
            }
            TypeDefKind::Map(key, value) => vec![self.name(key), self.name(value)],
            TypeDefKind::FixedLengthList(ty, length) => vec![self.name(ty), length.to_string()],
            TypeDefKind::Future(ty) | TypeDefKind::Stream(ty) => vec![maybe(ty)],
            TypeDefKind::Handle(Handle::Own(id) | Handle::Borrow(id)) => vec![self.name_of(*id)],
            TypeDefKind::Resource | TypeDefKind::Unknown => Vec::new(),
        };
        format!("{}<{}>", kind.as_str(), inside.join(", "))
    }
}

/// Returns the interface that owns a type of an interface.
fn interface_of(owner: TypeOwner) -> InterfaceId {
    match owner {
        TypeOwner::Interface(id) => id,
        TypeOwner::World(_) | TypeOwner::None => panic!("the type is in an interface"),
    }
}

fn since(stability: &Stability) -> Option<Version> {
    match stability {
        Stability::Stable { since, .. } => Some(since.clone()),
        Stability::Unstable { .. } | Stability::Unknown => None,
    }
}
