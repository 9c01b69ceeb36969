/** Tells apart what assigning does not: `any`, optional members, readonly ones, a wider type from a narrower. */
declare type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles where both types are the same: `same<A, B>()`. Elsewhere it wants an argument that nothing can be. */
declare function same<A, B>(...proof: Same<A, B> extends true ? [] : [never]): void;

/** The members that an error has beyond those of every Error. */
declare type Own<E> = { [Name in keyof E as Exclude<Name, "name" | "message" | "stack">]: E[Name] };

/** The members of a class or an interface as those of a plain type. */
declare type Members<T> = { [Name in keyof T]: T[Name] };
